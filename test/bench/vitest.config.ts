import { defineConfig } from 'vitest/config';

/** `npm run bench`: measures and prints; nothing is asserted by the clock. */
export default defineConfig({
  test: { include: ['test/bench/*.bench.ts'], fileParallelism: false, testTimeout: 3_600_000, hookTimeout: 1_800_000 },
});
