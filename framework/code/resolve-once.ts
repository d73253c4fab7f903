import fs from 'node:fs';
import path from 'node:path';
import type { PluginBuild, ResolveOptions, ResolveResult } from 'esbuild';

/** How an import is asked for; `kind` and `resolveDir` decide where it leads. */
type Question = Required<Pick<ResolveOptions, 'kind' | 'importer' | 'resolveDir' | 'pluginData'>>;

/** What has a say in where a name leads that is no path, if a folder has it. */
const landmarks = ['node_modules', 'package.json', 'tsconfig.json', 'jsconfig.json'];

/**
 * `build.resolve` for names that aren't paths, one question for all folders of which the answer is the same. esbuild
 * begins each with nothing known of the disk: for an experiment that was four fifths of the time of its bundle.
 */
export function createResolver(
  build: Pick<PluginBuild, 'resolve'>,
): (specifier: string, question: Question) => Promise<ResolveResult> {
  const answers = new Map<string, Promise<ResolveResult>>();
  const nearest = new Map<string, string>();
  return (specifier, question) => {
    const key = JSON.stringify([specifier, question.kind, nearestLandmark(question.resolveDir)]);
    const answer = answers.get(key) ?? build.resolve(specifier, question);
    answers.set(key, answer);
    return answer;
  };

  /** The nearest folder, this one or one above, from which a name may lead elsewhere than from the one above it. */
  function nearestLandmark(dir: string): string {
    const known = nearest.get(dir);
    if (known !== undefined) return known;
    const above = path.dirname(dir);
    const isOne =
      above === dir ||
      // A tsconfig.json counts only outside.
      path.basename(dir) === 'node_modules' ||
      landmarks.some((name) => fs.existsSync(path.join(dir, name)));
    const found = isOne ? dir : nearestLandmark(above);
    nearest.set(dir, found);
    return found;
  }
}
