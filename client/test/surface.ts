import { readFileSync } from 'node:fs';

interface Surface {
  EVENT: Record<string, string>;
  TYPES: Record<string, string | number>;
  methods: string[];
}

const file = JSON.parse(readFileSync(new URL('data/tim-surface.json', import.meta.url), 'utf8'));

/** The version whose values count. */
export const reference: Surface = file['tim-wx-sdk@2.27.6'];

/** All versions that the client stands in for, by name. */
export const versions: [string, Surface][] = Object.entries(file as Record<string, Surface>).filter(
  ([name]) => name !== 'note',
);
