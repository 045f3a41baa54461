import { type History, openHistory } from '../history/history.ts';
import { openStateFolder } from '../state-folder.ts';
import type { App, GlobalOptions } from './app.ts';
import { openRuntime } from './open-runtime.ts';
import type { Output } from './output.ts';

/** For commands that only read the history: it is opened, asked and closed; here its failure is the command's. */
export async function queryHistory<Value>(
  app: App,
  options: GlobalOptions,
  output: Output,
  ask: (history: History, stateFolder: string) => Value | Promise<Value>,
): Promise<Value> {
  const runtime = await openRuntime(app, options, output, { config: 'optional', state: false });
  const history = await openHistory(await openStateFolder(runtime.stateFolder));
  try {
    for (const warning of history.warnings) output.warn(warning);
    return await ask(history, runtime.stateFolder);
  } finally {
    history.close();
  }
}
