/** What the config may say about an S3 destination. Loads no SDK. */
import { z } from 'zod';
import { byteSize } from '../../value/byte-size.ts';
import { duration } from '../../value/duration.ts';
import { isKey } from '../key.ts';
import { defaultMemoryBytes, maxPartBytes, mostParts, smallestMemoryBytes, smallestPartBytes } from './planner.ts';

const text = z.string().min(1);
const mebibyte = 2 ** 20;

const multipart = z
  .strictObject({
    /** Bytes of the first parts; later ones grow. Without it: 8 MiB. */
    partSize: byteSize()
      .refine(
        (bytes) => bytes >= smallestPartBytes && bytes <= maxPartBytes,
        'S3 takes parts of 5MiB to 5GiB (only the last may be smaller)',
      )
      .optional(),
    /** Parts that the provider allows: 10,000 at AWS, 1,000 at Scaleway and at OpenStack Swift. */
    maxParts: z.number().int().min(1).max(mostParts).optional(),
    /** All parts of one size, as Cloudflare R2 wants them. */
    uniformParts: z.boolean().optional(),
    /** Parts uploaded side by side; without it 4. */
    concurrency: z.number().int().min(1).max(64).optional(),
    /** Bytes of parts held in memory at most; without it 256 MiB. One part may take half of it. */
    memory: byteSize()
      .refine((bytes) => bytes >= smallestMemoryBytes, `must be ${smallestMemoryBytes / mebibyte}MiB or more`)
      .optional(),
  })
  .optional();

export const s3Options = z
  .strictObject({
    bucket: text,
    /** Put before every key, with a slash between. */
    prefix: text
      .refine((given) => isKey(given.replace(/^\/|\/$/g, '')), 'must be plain names with / between')
      .optional(),
    region: text.optional(),
    /** `https://…` of a compatible store; without it AWS. */
    endpoint: z.url({ protocol: /^https?$/, error: 'must be an address like https://s3.example.com' }).optional(),
    /** `endpoint/bucket/key` in place of `bucket.endpoint/key`. Without it: true where there is an endpoint. */
    pathStyle: z.boolean().optional(),
    /** Without keys and profile: the SDK's own search (environment, shared files, container and instance roles). */
    accessKeyId: text.optional(),
    secretAccessKey: text.optional(),
    sessionToken: text.optional(),
    /** Section of the shared AWS files. */
    profile: text.optional(),
    /** Encryption at rest by the store, with its own keys or with KMS. */
    sse: z.enum(['AES256', 'aws:kms']).optional(),
    kmsKeyId: text.optional(),
    /** For data only: sidecars and state stay in the standard class, readable at once. */
    storageClass: text.optional(),
    /** At most ten, on data and sidecars. */
    tags: z.record(text.max(128), z.string().max(256)).optional(),
    /** Retention by the store (the bucket needs Object Lock) for data and sidecars; state must stay rewritable. */
    objectLock: z
      .strictObject({ mode: z.enum(['GOVERNANCE', 'COMPLIANCE']), days: z.number().int().min(1).max(36_500) })
      .optional(),
    multipart,
    /** Parts beyond half the memory go over the disk: into this folder, or with `true` into the system's temporary one. */
    spool: z.union([z.literal(true), text]).optional(),
    /** How the store checks what arrives: Content-MD5 or CRC32. Without it: crc32 at AWS, md5 at an endpoint. */
    checksum: z.enum(['md5', 'crc32']).optional(),
    /** `opaque`: the store's ETags look like MD5 and are none, so only the size is checked after an upload. */
    etag: z.enum(['md5', 'opaque']).optional(),
    /** How often a failed request is repeated, with growing pauses; without it 8. */
    retries: z.number().int().min(0).max(50).optional(),
    /** A connection on which nothing moves for so long is given up, and the request repeated; without it 1m. */
    idleTimeout: duration().optional(),
  })
  .superRefine((given, context) => {
    const complain = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: field.split('.'), message });
    if ((given.accessKeyId === undefined) !== (given.secretAccessKey === undefined)) {
      const missing = given.accessKeyId === undefined ? 'accessKeyId' : 'secretAccessKey';
      complain(missing, 'accessKeyId and secretAccessKey belong together');
    }
    if (given.sessionToken !== undefined && given.accessKeyId === undefined) {
      complain('sessionToken', 'needs accessKeyId and secretAccessKey');
    }
    if (given.profile !== undefined && given.accessKeyId !== undefined) {
      complain('profile', 'either a profile or keys, not both');
    }
    if (given.kmsKeyId !== undefined && given.sse !== 'aws:kms') complain('kmsKeyId', 'needs sse: aws:kms');
    if (Object.keys(given.tags ?? {}).length > 10) complain('tags', 'S3 takes at most ten tags');
    const { partSize = 0, memory = defaultMemoryBytes } = given.multipart ?? {};
    if (partSize <= maxPartBytes && partSize > memory / 2 && given.spool === undefined) {
      complain('multipart.partSize', 'larger than half of multipart.memory: give more memory, or a spool folder');
    }
  });

export type S3Options = z.infer<typeof s3Options>;
