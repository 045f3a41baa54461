/** Bytes that wait for the rest of their chunk. Holds the pieces as they came. */
const fewPieces = 8;

export class ByteQueue {
  #pieces: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** Removes the first `count` bytes; there must be as many. Copies nothing. */
  take(count: number): readonly Buffer[] {
    let whole = 0;
    let missing = count;
    for (let piece = this.#pieces[whole]; piece && piece.length <= missing; piece = this.#pieces[++whole]) {
      missing -= piece.length;
    }
    const taken = this.#pieces.splice(0, whole);
    const first = this.#pieces[0];
    if (missing > 0 && first) {
      taken.push(first.subarray(0, missing));
      this.#pieces[0] = first.subarray(missing);
    }
    this.#length -= count;
    return taken;
  }

  /** As `take`; many small pieces are joined, so that every byte is copied at most once however the input is cut. */
  takeFew(count: number): readonly Buffer[] {
    const taken = this.take(count);
    return taken.length > fewPieces ? [Buffer.concat(taken, count)] : taken;
  }
}
