/** What every part of a wizard gets. */
import type { Runtime } from '../../operation/runtime.ts';
import type { AdapterCatalog, App } from '../app.ts';
import type { Output } from '../output.ts';
import type { Folders } from './answer.ts';
import type { Interview } from './interview.ts';

export interface Wizard {
  readonly app: App;
  readonly output: Output;
  readonly interview: Interview;
  readonly catalog: AdapterCatalog;
  readonly folders: Folders;
  /** For trying out what has no place in a config yet; its folder is the config's. */
  readonly runtime: Runtime;
  /** Connections are tried out as they are given. */
  readonly tries: boolean;
}
