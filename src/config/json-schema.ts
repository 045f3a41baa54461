import { z } from 'zod';
import type { Catalog } from './catalog.ts';
import { limitSchema } from './limit-schema.ts';
import { fileSchema, jobSchema } from './schema.ts';
import { isRecord } from './walk-strings.ts';

type Schema = Record<string, unknown>;
const reference = { type: 'string', pattern: '\\$\\{', description: 'A reference to a value kept elsewhere' };

/** JSON Schema (draft 2020-12) of the config file, for editors: `# yaml-language-server: $schema=…`. */
export function configJsonSchema(catalog: Catalog): Schema {
  const file = schemaOf(fileSchema);
  const properties = file['properties'] as Record<string, Schema>;
  for (const section of ['sources', 'destinations', 'encryption', 'notifications'] as const) {
    const more = section === 'destinations' ? { limit: withoutDialect(schemaOf(limitSchema)) } : {};
    const types = catalog[section].map(({ type, options }) => withType(type, schemaOf(options), more));
    properties[section] = { ...properties[section], additionalProperties: { anyOf: types } };
  }
  properties['jobs'] = { ...properties['jobs'], additionalProperties: withoutDialect(schemaOf(jobSchema())) };
  return { title: 'dbbackup configuration', ...file };
}

function schemaOf(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' });
}

/** An adapter's options beside its `type`, references allowed; every branch of a union for itself. */
function withType(type: string, options: Schema, more: Schema): Schema {
  const add = (branch: Schema): Schema => {
    for (const key of ['anyOf', 'oneOf']) {
      if (Array.isArray(branch[key])) return { ...branch, [key]: branch[key].map(add) };
    }
    return {
      ...branch,
      properties: { type: { const: type }, ...more, ...(branch['properties'] as Schema) },
      required: ['type', ...((branch['required'] as string[] | undefined) ?? [])],
    };
  };
  return add(allowReferences(withoutDialect(options)) as Schema);
}

function withoutDialect({ $schema: _, ...schema }: Schema): Schema {
  return schema;
}

/** A number, boolean or restricted text may also be written as a reference. */
function allowReferences(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(allowReferences);
  if (!isRecord(node)) return node;
  const inside = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, allowReferences(value)]));
  return isRestricted(node) ? { anyOf: [inside, reference] } : inside;
}

function isRestricted({ type, ...rules }: Schema): boolean {
  if (type === 'number' || type === 'integer' || type === 'boolean') return true;
  return type === 'string' && ['pattern', 'format', 'enum', 'const', 'maxLength'].some((rule) => rule in rules);
}
