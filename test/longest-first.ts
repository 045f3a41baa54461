import { readFileSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Starts the files that wait longest for real servers first, so that none of them is left for the end, when the other
 * workers have nothing to do. Vitest itself can only go by size on a machine that has not run them yet, and the contract
 * suites, which take longest, are plugged in by a few lines each.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => isContract(moduleId) || isCampaign(moduleId);
    return [...bySize.filter(isLong), ...bySize.filter((file) => !isLong(file))];
  }
}

function isContract(file: string): boolean {
  return /\/contract\/(destination|source)-/.test(file);
}

function isCampaign(file: string): boolean {
  return readFileSync(file, 'utf8').includes('openCampaign(');
}
