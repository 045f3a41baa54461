import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { filter, type ProgramSpec } from '../../process/process.ts';

/**
 * A psql that stays for a while: each further question is a round trip, where a psql of its own is a process, a connection
 * and a login (20 ms on loopback, ten times as much by ssh). For questions only: who gets no answer asks elsewhere.
 */
export class Conversation {
  readonly #psql: Duplex;
  #turn: Promise<unknown> = Promise.resolve();
  #hasAnswered = false;

  /** Connects at once; whether that succeeds, the first answer tells. */
  constructor(spec: ProgramSpec) {
    this.#psql = filter(spec);
  }

  /** It did connect: what fails after that says nothing about the way to the server. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /**
   * One question after the other. Rejects with the failure of psql, which an error in the SQL is, too, or with the
   * signal's reason; then it is over, for the question before as well, which may be what nobody answers.
   */
  ask(sql: string, signal: AbortSignal): Promise<string> {
    // Not only its own: who asks may be cancelled before who opened it.
    const giveUp = () => void this.#psql.destroy(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    const answer = this.#turn
      .then(() => this.#exchange(sql))
      .finally(() => signal.removeEventListener('abort', giveUp));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /** Resolves when psql is gone. */
  async close(): Promise<void> {
    await this.#turn;
    if (this.#psql.closed) return;
    const closed = new Promise((resolve) => this.#psql.once('close', resolve));
    this.#psql.resume();
    this.#psql.end();
    await closed;
  }

  #exchange(sql: string): Promise<string> {
    const mark = `${randomUUID()}\n`;
    const psql = this.#psql;
    return new Promise((resolve, reject) => {
      let said = '';
      const hear = (chunk: Buffer) => {
        said += chunk.toString('latin1');
        if (!said.endsWith(mark)) return;
        stop();
        this.#hasAnswered = true;
        resolve(Buffer.from(said.slice(0, -mark.length), 'latin1').toString('utf8').trimEnd());
      };
      const end = () => {
        stop();
        reject(psql.errored ?? new Error('psql has ended'));
      };
      const stop = () => void psql.off('data', hear).off('close', end);
      if (psql.destroyed) return end();
      psql.on('data', hear).once('close', end);
      psql.write(`${sql}\n\\echo ${mark}`);
    });
  }
}
