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
  const signing = config.signing && { ...config.signing, options: { key: config.signing.options['key'] } };
  const definitions = [
    { section: 'sources', definition: job.source },
    ...job.destinations.map((definition) => ({ section: 'destinations', definition })),
    { section: 'encryption', definition: job.encryption },
    ...job.notify.map((definition) => ({ section: 'notifications', definition })),
    { section: 'signing', definition: signing },
  ];
  const found: PlacedReference[] = [];
  for (const { section, definition } of definitions) {
    walkStrings(definition?.options, (text) => {
      const place = section === 'signing' ? section : `${section}.${definition?.name}`;
      for (const part of parseTemplate(text)) if (part.kind !== 'text') found.push({ place, reference: part });
    });
  }
  return found;
}
