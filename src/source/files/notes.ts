import type { SourceContext } from '../source.ts';

/** Lines of one kind that are shown each; of more only the number is. */
const shown = 20;
/** Names of one kind that go into the sidecar. */
const kept = 1000;

export type NoteKind = 'vanished' | 'skipped' | 'changed' | 'outside' | 'own' | 'secret';

/** What a dump could not or not quite take, told once and kept for the sidecar. */
export class Notes {
  readonly #context: SourceContext | undefined;
  readonly #names = new Map<NoteKind, string[]>();
  readonly #counts = new Map<NoteKind, number>();

  /** Without a context nothing is told. */
  constructor(context?: SourceContext) {
    this.#context = context;
  }

  add(kind: NoteKind, path: Buffer, line: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const names = this.#names.get(kind) ?? [];
    if (names.length < kept) names.push(path.toString('utf8'));
    this.#names.set(kind, names);
    if (count <= shown) this.#context?.log('warning', line);
  }

  /** Tells how many there were beyond those that were told. */
  close(): void {
    for (const [kind, count] of this.#counts) {
      if (count > shown) this.#context?.log('warning', `${kind}: ${count - shown} more, ${count} in all`);
    }
  }

  properties(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(this.#names);
  }
}
