/** What the config may say about a destination that rclone reaches. */
import { z } from 'zod';
import { duration } from '../../value/duration.ts';

const text = z.string().min(1);

export const rcloneOptions = z.strictObject({
  /** `name:path`: a remote as `rclone config` made it, and a folder or bucket in it. */
  remote: z
    .string()
    .regex(
      /^[\w][\w.+@ -]*:/,
      'must be a configured remote and a path, like cloud:backups (`rclone listremotes` shows the remotes)',
    ),
  /** rclone's config file; without it where rclone looks itself. */
  config: text.optional(),
  /** Of an encrypted config file. */
  configPassword: text.optional(),
  /** Variables for rclone, such as RCLONE_CONFIG_CLOUD_TYPE: a remote can be defined by them alone. */
  environment: z.record(z.string().regex(/^\w+$/, 'must be the name of a variable'), z.string()).optional(),
  /** Given to every rclone command, before the command. No secrets: every user of the machine can read them. */
  arguments: z.array(text).optional(),
  /** Path of rclone, when it is not on PATH. */
  program: text.optional(),
  /** How often what failed for a passing reason is repeated, besides rclone's own retries; without it 3. */
  retries: z.number().int().min(0).max(50).optional(),
  /** An rclone that is silent for so long while it reads or lists is ended; without it 5m. */
  idleTimeout: duration().optional(),
});

export type RcloneOptions = z.infer<typeof rcloneOptions>;
