/** A real S3-compatible store (OpenStack Swift) with a bucket, behind a fault proxy, and a plain client that looks into it. */
import { S3 } from '@aws-sdk/client-s3';
import { type HttpFaultProxy, startHttpFaultProxy } from './http-fault-proxy.ts';
import { type SwiftOptions, startSwift } from './swift.ts';

const bucket = 'backups';

export interface S3Server {
  readonly proxy: HttpFaultProxy;
  /** What reaches the bucket through the proxy. */
  readonly options: { bucket: string; endpoint: string; accessKeyId: string; secretAccessKey: string };
  /** Straight to the store, past the proxy. */
  readonly client: S3;
  /** Names of the open multipart uploads of the bucket. */
  openUploads(): Promise<string[]>;
  /** Leaves one multipart upload open, as a killed process would. */
  beginUpload(name: string): Promise<void>;
  /** The store takes no more bytes until the returned function is called. */
  stall(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export async function startS3(options: SwiftOptions = {}): Promise<S3Server> {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const swift = await startSwift(options);
  const { accessKeyId, secretAccessKey } = swift;
  const proxy = await startHttpFaultProxy(swift.port);
  const client = new S3({
    endpoint: swift.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  await client.createBucket({ Bucket: bucket });
  return {
    proxy,
    options: { bucket, endpoint: proxy.endpoint, accessKeyId, secretAccessKey },
    client,
    async openUploads() {
      const { Uploads } = await client.listMultipartUploads({ Bucket: bucket });
      return (Uploads ?? []).map((upload) => upload.Key ?? '');
    },
    async beginUpload(name) {
      const { UploadId } = await client.createMultipartUpload({ Bucket: bucket, Key: name });
      await client.uploadPart({
        Bucket: bucket,
        Key: name,
        UploadId,
        PartNumber: 1,
        Body: Buffer.from('half a backup'),
      });
    },
    async stall() {
      proxy.rule = ({ method }) => (method === 'PUT' ? { kind: 'stall' } : undefined);
      return async () => {
        proxy.rule = () => undefined;
        proxy.release();
      };
    },
    async stop() {
      client.destroy();
      await proxy.close();
      await swift.stop();
    },
  };
}
