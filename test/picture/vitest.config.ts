import { defineConfig } from 'vitest/config';

/** `npm run pictures`: no tests, but pictures for the README, taken of the built program. */
export default defineConfig({ test: { include: ['test/picture/*.picture.ts'], testTimeout: 300_000 } });
