import type { History } from './history.ts';

export declare const SqliteHistory: { open(state: string): History };
