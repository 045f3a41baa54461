import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findOpeners } from '../../../../src/source/sqlite/find-openers.ts';

it.runIf(process.platform === 'linux')('finds whoever has a file open, by whatever name', async () => {
  const path = fileURLToPath(import.meta.url);
  const ours = expect.stringMatching(new RegExp(`^${process.pid} \\(`));
  expect(await findOpeners([path])).not.toContainEqual(ours);
  const file = await open(path, 'r');
  expect(await findOpeners([`${path}.missing`, path])).toContainEqual(ours);
  await file.close();
  expect(await findOpeners([path])).not.toContainEqual(ours);
});
