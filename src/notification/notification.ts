/**
 * Contract of a notification channel: one file per kind; `all.ts` lists them.
 *
 * Obligations that matter more than the shape:
 * - `send` resolves after the receiver has accepted the message, and says what it answered;
 * - what could work a moment later (no connection, time-out, 429, 5xx) is thrown as retryable, everything else is not;
 * - URLs and tokens are secrets: registered when the channel is opened, in no message of an error;
 * - a message comes redacted; a channel adds nothing to it that has not been.
 */
import type { ZodType } from 'zod';

/** `recovery`: the first success after a failure. `warning`: published, but suspect, partial or with trouble. */
export const outcomeEvents = ['success', 'failure', 'recovery', 'warning'] as const;

export type OutcomeEvent = (typeof outcomeEvents)[number];
/** `start` is for monitors that measure; `test` is `dbbackup notify test`. */
export type NotificationEvent = OutcomeEvent | 'start' | 'test';

export interface MessageError {
  readonly code: string;
  /** All messages down the chain of causes. */
  readonly message: string;
  readonly hint?: string;
}

/** Figures of a finished backup: bytes and milliseconds. */
export interface BackupFigures {
  readonly at: Date;
  readonly durationMs: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
}

export interface Message {
  readonly event: NotificationEvent;
  readonly job: string;
  /** `running`, or how the execution ended. */
  readonly status: string;
  /** Undefined when it failed before it began. */
  readonly executionId?: string;
  readonly host: string;
  readonly at: Date;
  /** One line. */
  readonly title: string;
  /** Some lines of plain text for people, without the title. */
  readonly text: string;
  readonly durationMs?: number;
  readonly rawBytes?: number;
  readonly storedBytes?: number;
  /** Key of the backup. */
  readonly artifact?: string;
  readonly destinations?: readonly { readonly name: string; readonly status: string; readonly error?: string }[];
  readonly error?: MessageError;
  readonly warnings: readonly string[];
  /** The newest completed backup, this one if it completed. */
  readonly lastGood?: BackupFigures;
  /** The last lines of the execution's log. */
  readonly log: readonly string[];
}

export interface SendOptions {
  readonly signal?: AbortSignal;
}

export interface Notification {
  /** What it wants to be told; a channel that wants successes gets recoveries too. */
  readonly events: readonly NotificationEvent[];
  /** For so many ms the same failure or warning of a job is not told again; 0 = always. */
  readonly cooldownMs: number;
  /** One try. Resolves with the receiver's answer, for people; throws NOTIFICATION_FAILED. */
  send(message: Message, options?: SendOptions): Promise<string>;
}

/** One line of `all.ts`: everything about a kind that is known without opening it. */
export interface NotificationType<Options = unknown> {
  readonly type: string;
  /** Strict zod object of the options in the config, without `type`. */
  readonly options: ZodType<Options>;
  /** Makes the channel and registers its secrets; contacts nothing. `baseFolder`: for relative paths. */
  open(options: Options, baseFolder: string): Notification;
}
