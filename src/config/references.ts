import type { Config, Job } from './config.ts';
import { parseTemplate, type Reference } from './template.ts';
import { walkStrings } from './walk-strings.ts';

export interface PlacedReference {
  /** `sources.shop`, as messages name it; without the file. */
  readonly place: string;
  readonly reference: Reference;
}

/** Everything that one run of a job will look up: its own adapters' references and those of the signing key. */
export function referencesOf(job: Job, config: Config): readonly PlacedReference[] {
  return textsOf(job, config).flatMap(({ place, text }) =>
    parseTemplate(text).flatMap((part) => (part.kind === 'text' ? [] : { place, reference: part })),
  );
}

/** Every text in the options of what one run of a job uses. */
export function textsOf(job: Job, config: Config): readonly { readonly place: string; readonly text: string }[] {
  const signing = config.signing && { ...config.signing, options: { key: config.signing.options['key'] } };
  const definitions = [
    { place: `sources.${job.source.name}`, definition: job.source },
    ...job.destinations.map((definition) => ({ place: `destinations.${definition.name}`, definition })),
    { place: `encryption.${job.encryption?.name}`, definition: job.encryption },
    ...job.notify.map((definition) => ({ place: `notifications.${definition.name}`, definition })),
    { place: 'signing', definition: signing },
  ];
  const found: { place: string; text: string }[] = [];
  for (const { place, definition } of definitions) {
    walkStrings(definition?.options, (text) => found.push({ place, text }));
  }
  return found;
}
