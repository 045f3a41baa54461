import { s3Type } from '../../src/destination/s3/s3.ts';
import { startS3 } from '../servers/s3.ts';
import { describeDestination } from './describe-destination.ts';

let s3: Awaited<ReturnType<typeof startS3>>;

describeDestination('s3', {
  async create() {
    s3 = await startS3();
    const destination = s3Type.open(
      { ...s3.options, prefix: 'company/backups', retries: 4, multipart: { partSize: 5 * 2 ** 20 } },
      '/',
    );
    return { destination, cleanup: () => s3.stop() };
  },
  sizes: [5 * 2 ** 20 - 1, 5 * 2 ** 20, 5 * 2 ** 20 + 1, 16 * 2 ** 20],
  // A page of the listing has 15.
  manyObjects: 20,
  readAhead: 32 * 2 ** 20,
  abandonUpload: () => s3.beginUpload('company/backups/shop/shop_2026-11-20T03-00-00-123Z_4f9c01.sql.zst'),
  stall: () => s3.stall(),
});
