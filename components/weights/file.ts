import path from 'node:path';
import { z } from 'zod';
import type { NeededFile } from '../../framework/stage/component.ts';

/** A file of weights that was made elsewhere, as configs have it. */
export interface WeightsFile {
  readonly file: string;
  readonly sha256?: string | undefined;
}

/** Where a file of weights can be had, for the message where it is missing or has other bytes. */
export interface PublishedWeights {
  /** Who publishes it, and under which name: `torchvision publishes it as VGG16_Weights.IMAGENET1K_V1`. */
  readonly where: string;
  /** As it is published: `vgg16-397923af.pth`. */
  readonly name: string;
  /** The digest, or the beginning of it; only if it is known for sure. */
  readonly sha256?: string;
}

/**
 * A file of weights that was trained elsewhere, for a field `weights`: `vgg({ weights: file('vgg16-397923af.pth') })`.
 * The bytes are in the key, the place is not. Relative paths begin at the current folder; `env` gives paths that differ
 * between machines.
 *
 * @param options.sha256 what the file's bytes must have, in hexadecimal digits: all 64, or the first ones (8 or more), as
 * torchvision's file names carry them. Another file is then an error before anything runs.
 */
export function file(place: string, { sha256 }: { readonly sha256?: string } = {}): WeightsFile {
  return { file: place, ...(sha256 === undefined ? {} : { sha256 }) };
}

/** What `file` returns. In the config it leaves `"file"`, for the place is no part of the meaning. */
export const weightsField = z
  .strictObject(
    {
      file: z.string().min(1, 'must name a file'),
      sha256: z
        .string()
        .regex(
          /^[0-9a-f]{8,64}$/i,
          'expected a sha256: 64 hexadecimal digits, or the first 8 or more of them',
        )
        .optional(),
    },
    { error: ({ input }) => (typeof input === 'string' ? explainText(input) : undefined) },
  )
  .transform(() => 'file' as const);

function explainText(text: string): string {
  return `write file(${JSON.stringify(text)})`;
}

/**
 * The `files` of a component with a field `weights`: none without a file, so that nothing changes where it is absent.
 *
 * @param published where an official file can be had
 */
export function weightsFiles(
  weights: WeightsFile | undefined,
  published?: PublishedWeights,
): { readonly weights?: NeededFile } {
  return weights === undefined ? {} : { weights: neededFile(weights, ['weights'], published) };
}

/** One of the `files` of a component: a file of weights in a field of the config. */
export function neededFile(
  { file: place, sha256 }: WeightsFile,
  field: readonly string[],
  published?: PublishedWeights,
): NeededFile {
  return {
    path: path.resolve(place),
    field: [...field, 'file'],
    ...(sha256 === undefined ? {} : { sha256: sha256.toLowerCase() }),
    ...(published ? { hint: describePublished(published) } : {}),
  };
}

function describePublished({ where, name, sha256 }: PublishedWeights): string {
  const digest = sha256 === undefined ? '' : `, sha256 ${sha256}${sha256.length < 64 ? '...' : ''}`;
  return `${where} (${name}${digest}): download it and give its path`;
}
