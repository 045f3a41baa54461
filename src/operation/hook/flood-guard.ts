/** Lines logged as they come; of what follows only the last ones, since every line is a write to the history. */
const mostLines = 1000;
const lastLines = 20;

/** Lets a program's first lines through and, at its end, the last ones with the number of those left out. */
export class FloodGuard {
  readonly #log: (line: string) => void;
  readonly #kept: string[] = [];
  #count = 0;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  add(line: string): void {
    this.#count += 1;
    if (this.#count <= mostLines) this.#log(line);
    else this.#kept.push(line);
    if (this.#kept.length > lastLines) this.#kept.shift();
  }

  end(): void {
    const leftOut = this.#count - mostLines - this.#kept.length;
    if (leftOut > 0) this.#log(`(${leftOut} lines left out)`);
    for (const line of this.#kept) this.#log(line);
  }
}
