import { expect, test } from 'vitest';
import { type Client, chooseClient, chooseLoader } from '../../../../src/source/postgres/client.ts';

const clients = (...majors: number[]): Client[] =>
  majors.map((major) => ({ folder: `/${major}`, version: `${major}.1`, major }));

test.each([
  [[13, 15, 17], 15, 15],
  [[13, 17], 15, 17],
  [[15, 17, 18], 16, 17],
  [[13, 14], 15, undefined],
])('of %j a server %i is dumped by %s', (majors, server, chosen) => {
  const choose = () => chooseClient(clients(...majors), server, `${server}.3`).major;
  if (chosen !== undefined) expect(choose()).toBe(chosen);
  else expect(choose).toThrow(expect.objectContaining({ code: 'TOOL_TOO_OLD' }));
});

test.each([
  // Clients, server, oldest that reads the dump, the one that loads.
  [[13, 15, 17], 15, undefined, 15],
  [[13, 17], 15, undefined, 17],
  [[13, 15], 17, undefined, 15],
  [[13, 15, 17], 13, 17, 17],
  [[15, 16, 18], 14, 16, 16],
  [[15, 16], 18, 16, 16],
  [[15, 16], 15, 17, undefined],
])('of %j a server %i gets a dump for %s and newer from %s', (majors, server, oldest, chosen) => {
  const choose = () => chooseLoader(clients(...majors), server, oldest).major;
  if (chosen !== undefined) expect(choose()).toBe(chosen);
  else expect(choose).toThrow(expect.objectContaining({ code: 'TOOL_TOO_OLD' }));
});
