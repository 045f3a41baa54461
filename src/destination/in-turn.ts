/** Work on the same name one after the other, within this process: for stores that cannot refuse to overwrite by themselves. */
export class InTurn {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Starts `work` when everything begun before under `name` has ended, well or badly. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    this.#last.set(name, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    }
  }
}
