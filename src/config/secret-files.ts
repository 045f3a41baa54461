import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { parseTemplate } from './template.ts';
import { ownerOf, type Path, walkStrings } from './walk-strings.ts';

/** Options whose value is the path of a key file. */
const keyFileOptions = new Set(['identityFile', 'keyFile', 'privateKeyFile']);

/** Absolute paths of the files that a valid configuration takes keys and secrets from. */
export function secretFiles(raw: unknown, folder: string): readonly string[] {
  const found = new Set<string>();
  const add = (path: string) => found.add(resolve(folder, path.replace(/^~(?=\/|$)/, homedir)));
  walkStrings(raw, (text, path: Path) => {
    const parts = path[0] === 'jobs' ? [] : parseTemplate(text);
    for (const part of parts) if (part.kind === 'file') add(part.path);
    const [only] = parts;
    if (parts.length === 1 && only?.kind === 'text' && keyFileOptions.has(ownerOf(path))) add(only.text);
  });
  return [...found];
}
