import type { Step } from '../pull-parser.ts';
import { damaged } from './damaged.ts';
import { RdbEncoding } from './rdb-encoding.ts';
import type { Item, Shape } from './rdb-type.ts';

/** Passes over the values of an RDB file, by their shapes. Source: src/rdb.c of Redis (rdbLoadObject). */
export abstract class RdbValue extends RdbEncoding {
  protected *shape(shape: Shape): Step {
    if (shape === 'string') yield* this.strings(1, 0);
    else if (shape === 'module') yield* this.#moduleValue();
    else if (shape === 'timed string') {
      yield* this.skip(8);
      yield* this.strings(1, 0);
    } else if ('stream' in shape) yield* this.#stream(shape.stream);
    else {
      yield* this.skip(shape.before ?? 0);
      yield* this.#items(shape.items, yield* this.plainLength());
    }
  }

  *#items(item: Item, count: number): Step {
    if (item === 'strings') yield* this.strings(count, 0);
    else if (item === 'pairs') yield* this.strings(2 * count, 0);
    else if (item === 'scored') yield* this.strings(count, 8);
    else for (let left = count; left > 0; left -= 1) yield* this.#item(item);
  }

  *#item(item: Exclude<Item, 'strings' | 'pairs' | 'scored'>): Step {
    if (item === 'tagged') {
      yield* this.plainLength();
      yield* this.strings(1, 0);
    } else if (item === 'timed pairs') {
      yield* this.plainLength();
      yield* this.strings(2, 0);
    } else if (item === 'pairs and times') {
      yield* this.strings(2, 0);
      yield* this.skip(8);
    } else {
      yield* this.strings(1, 0);
      // 253 to 255 stand for not a number and the two infinities.
      const digits = yield* this.byte();
      if (digits < 253) yield* this.skip(digits);
    }
  }

  *#stream(generation: number): Step {
    yield* this.strings(2 * (yield* this.plainLength()), 0);
    // Its length and last id; from the second generation on first id, highest deleted id and the entries ever added.
    yield* this.lengths(generation >= 2 ? 8 : 3);
    for (let groups = yield* this.plainLength(); groups > 0; groups -= 1) {
      yield* this.strings(1, 0);
      yield* this.lengths(generation >= 2 ? 3 : 2);
      for (let pending = yield* this.plainLength(); pending > 0; pending -= 1) {
        yield* this.skip(16 + 8);
        yield* this.plainLength();
      }
      for (let consumers = yield* this.plainLength(); consumers > 0; consumers -= 1) {
        yield* this.strings(1, 0);
        yield* this.skip(generation >= 3 ? 16 : 8);
        yield* this.skip(16 * (yield* this.plainLength()));
      }
    }
  }

  *#moduleValue(): Step {
    yield* this.plainLength();
    yield* this.moduleParts();
  }

  /** What a module writes says of itself what it is. */
  protected *moduleParts(): Step {
    for (;;) {
      const kind = yield* this.plainLength();
      if (kind === 0) return;
      if (kind === 1 || kind === 2) yield* this.plainLength();
      else if (kind === 3) yield* this.skip(4);
      else if (kind === 4) yield* this.skip(8);
      else if (kind === 5) yield* this.strings(1, 0);
      else throw damaged(`holds data of a module that cannot be read (${kind})`);
    }
  }
}
