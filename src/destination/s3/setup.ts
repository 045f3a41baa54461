import type { DestinationSetup } from '../../setup.ts';

export const s3Setup: DestinationSetup = {
  title: 'S3, or a store that speaks it (MinIO, R2, Wasabi, B2 …)',
  name: 's3',
  questions: [
    { option: 'bucket', kind: 'text', message: 'Bucket (it must exist)', required: true },
    { option: 'prefix', kind: 'text', message: 'Put before every name, as a folder (empty: nothing)' },
    { option: 'endpoint', kind: 'text', message: 'Address of the store, as https://s3.example.com (empty: AWS)' },
    { option: 'region', kind: 'text', message: 'Region (empty: as the AWS settings say)' },
    {
      option: 'accessKeyId',
      kind: 'text',
      message: 'Access key id (empty: the usual places are searched: environment, ~/.aws, instance)',
    },
    { option: 'secretAccessKey', kind: 'secret', message: 'Secret access key', with: 'accessKeyId', required: true },
  ],
  more: [
    'objectLock: { mode: GOVERNANCE, days: 14 } # nobody can delete them before, not even with the keys',
    'storageClass: STANDARD_IA, sse: AES256, limit: 10MB/s',
  ],
  fromPlace(place) {
    const [matched, bucket = '', prefix] = /^s3:\/\/([^/]+)(?:\/(.+?))?\/?$/i.exec(place) ?? [];
    if (matched === undefined) return undefined;
    return { bucket, ...(prefix && { prefix }) };
  },
};
