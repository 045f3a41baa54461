import { DbBackupError } from '../errors.ts';
import type { App } from './app.ts';

/** Asks on a terminal, takes `--yes` for an answer elsewhere, and throws CONSENT_REQUIRED otherwise. */
export function askConsent(app: App, yes: boolean): (question: string) => Promise<void> {
  return async (question) => {
    if (yes) return;
    if (!app.stdin.isTTY || !app.stderr.isTTY) {
      throw new DbBackupError('CONSENT_REQUIRED', `${question} There is no terminal to ask on.`, {
        hint: 'Nothing was changed. Say --yes if you mean it.',
      });
    }
    const { confirm } = await import('@inquirer/prompts');
    const agreed = await confirm(
      { message: question, default: false },
      { input: app.stdin as NodeJS.ReadStream, output: app.stderr as NodeJS.WriteStream, signal: app.signal },
    );
    if (!agreed) throw new DbBackupError('CONSENT_REQUIRED', 'not confirmed', { hint: 'Nothing was changed.' });
  };
}
