import { MemoryDestination } from '../../src/destination/memory/memory-destination.ts';
import { describeDestination } from './describe-destination.ts';
import { interruptedStream, rejectionOf, sampleBytes } from './destination/sample.ts';

const destination = new MemoryDestination();
const stopped = new AbortController();

describeDestination('memory', {
  create: async () => ({ destination, cleanup: async () => stopped.abort() }),
  async abandonUpload() {
    await new Promise<void>((resolve) => {
      const stream = interruptedStream(sampleBytes(1000), resolve);
      void rejectionOf(destination.put('abandoned', stream, { signal: stopped.signal }));
    });
  },
});
