import { parseDuration } from '../stage/duration.ts';
import { shellWord } from '../stage/shell.ts';
import type { SlurmResources } from '../stage/slurm.ts';

/** What a job's script is made of. Paths are absolute. */
export interface ScriptOptions {
  /** See `jobName`. */
  readonly name: string;
  /** By which the job is found again. */
  readonly comment: string;
  /** Folder of the submission: logs go there. */
  readonly dir: string;
  /** Where the command was given: settings and relative paths are those from there. */
  readonly cwd: string;
  readonly indices: readonly number[];
  /** Tasks at once. */
  readonly atOnce?: number;
  /** `afterok:12_3`, ... */
  readonly dependencies: readonly string[];
  readonly resources: SlurmResources;
  /** Seconds before the time limit at which the job is asked to save. */
  readonly ahead: number;
  readonly node: string;
  /** Command line of peco-exp. */
  readonly program: string;
}

/** The exit code by which a job asks to be put into the queue again: EX_TEMPFAIL of sysexits.h. */
export const requeueCode = 75;
/** The exit code by which a job asks for more memory, and to be put into the queue again. */
export const memoryCode = 76;
/** Of a process that was asked to stop before it had begun, or before it listened, and of one that was killed: out of memory, most often. */
const otherCodes = [130, 143, 137];
/** So often in a row a process may end before it has begun. It would go on for ever where its time or memory is too short for that. */
const mostStarts = 5;
/** In Slurm's own databases and tools. */
const longestName = 200;

/**
 * The batch script of a job: bash, with what it asks Slurm for in its head. The signal ahead of the time limit goes to
 * bash alone, which passes it on and waits, also where it comes during the set-up. Where the stage could not be finished in
 * the time, the task goes back into the queue under its own number, so that what waits for it goes on waiting.
 */
export function formatScript(options: ScriptOptions): string {
  const { dir, cwd, node, program, resources } = options;
  const head = optionsOf(options).map((option) => `#SBATCH ${option}`);
  const command = [node, program, 'job', dir].map(shellWord).join(' ');
  const early = `${shellWord(dir)}/"$peco_index.early"`;
  return `${[
    '#!/bin/bash',
    ...head,
    '',
    'peco_job=',
    'peco_asked=',
    `trap 'peco_asked=yes; [ -z "$peco_job" ] || kill -TERM "$peco_job" 2>/dev/null' TERM`,
    `cd ${shellWord(cwd)} || exit 3`,
    ...resources.setup,
    '',
    'set +eu',
    'peco_index=$SLURM_ARRAY_TASK_ID',
    '# Not `$SLURM_JOB_ID`: of the last task that is the number of the whole array.',
    'peco_task="$SLURM_ARRAY_JOB_ID"_"$peco_index"',
    'peco_requeue() {',
    '  # Slurm would bring back what was cancelled, too.',
    '  case $(scontrol --oneliner show job "$peco_task" 2>/dev/null) in',
    '    *JobState=CANCELLED* | *JobState=COMPLETING*) return 1 ;;',
    '  esac',
    '  scontrol requeue "$peco_task"',
    '}',
    '',
    `${command} "$peco_index" &`,
    'peco_job=$!',
    '[ -z "$peco_asked" ] || kill -TERM "$peco_job"',
    '# A signal ends `wait`, not the process.',
    'peco_asked=yes',
    'while [ -n "$peco_asked" ]; do',
    '  peco_asked=',
    '  wait "$peco_job"',
    '  code=$?',
    'done',
    '# One second, so that Slurm has seen the start that it takes back.',
    `case $code in ${requeueCode})`,
    '  sleep 1',
    '  peco_requeue && sleep 60',
    '  ;;',
    `${otherCodes.join(' | ')})`,
    '  sleep 1',
    `  if [ "$(cat ${early} 2>/dev/null | wc -l)" -lt ${mostStarts - 1} ]; then`,
    `    peco_requeue && echo "$code" >> ${early} && sleep 60`,
    '  else',
    `    echo 'peco-exp: its process was ended ${mostStarts} times before it had begun: it has too little time or memory' >&2`,
    '  fi',
    '  ;;',
    `${memoryCode})`,
    '  # Slurm lets the memory of a job that waits be changed, and ends this script as soon as it does.',
    '  sleep 1',
    "  trap '' TERM",
    `  memory=$(tail -n 1 ${shellWord(dir)}/"$peco_index.memory" | cut -d ' ' -f 2)`,
    '  peco_requeue && scontrol update "JobId=$peco_task" "MinMemoryNode=$memory"',
    '  ;;',
    'esac',
    'exit "$code"',
  ].join('\n')}\n`;
}

function optionsOf(options: ScriptOptions): string[] {
  const { name, comment, dir, indices, atOnce, dependencies, resources, ahead } = options;
  const given: readonly Given[] = [
    ['job-name', name],
    ['comment', comment],
    // `%` has a meaning in names of logs.
    ['output', `${dir.replaceAll('%', '%%')}/%a.log`],
    ['open-mode', 'append'],
    ['array', `${formatIndices(indices)}${atOnce === undefined ? '' : `%${atOnce}`}`],
    ['nodes', 1],
    ['ntasks', 1],
    ...givenOf(resources),
    ['signal', `B:TERM@${Math.ceil(ahead)}`],
    ['dependency', dependencies.length === 0 ? undefined : dependencies.join(',')],
    ['kill-on-invalid-dep', 'yes'],
  ];
  return [
    ...given.flatMap(([option, value]) =>
      value === undefined ? [] : [`--${option}=${quoteOption(String(value))}`],
    ),
    '--requeue',
    ...resources.args.map(quoteOption),
  ];
}

type Given = readonly [option: string, value: string | number | undefined];

/** What a job asks for, as arguments of sbatch. */
export function resourceOptions(resources: SlurmResources): string[] {
  const given = givenOf(resources).flatMap(([option, value]) =>
    value === undefined ? [] : [`--${option}=${value}`],
  );
  return [...given, ...resources.args];
}

function givenOf(resources: SlurmResources): readonly Given[] {
  const { partition, account, qos, time, cpus, memory, gpus, gres, constraint } = resources;
  const limit = time === undefined ? undefined : parseDuration(time);
  const wanted = gpus === undefined || /^0+$/.test(String(gpus).split(':').at(-1)!) ? [] : [`gpu:${gpus}`];
  const generic = [...wanted, ...(gres === undefined ? [] : [gres])];
  return [
    ['partition', partition],
    ['account', account],
    ['qos', qos],
    ['time', limit === undefined ? undefined : Math.max(1, Math.ceil(limit / 60))],
    ['cpus-per-task', cpus],
    ['mem', memory],
    ['gres', generic.length === 0 ? undefined : generic.join(',')],
    ['constraint', constraint],
  ];
}

/** `0-3,7`: how Slurm takes the indices of an array. */
export function formatIndices(indices: readonly number[]): string {
  const sorted = [...indices].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    while (sorted[to + 1] === sorted[to]! + 1) to += 1;
    parts.push(from === to ? String(sorted[from]) : `${sorted[from]}-${sorted[to]}`);
    from = to + 1;
  }
  return parts.join(',');
}

/** `peco-exp/<experiment>/<stage>`: what `squeue` shows to a colleague. Of several stages what they have in common. */
export function jobName(experiment: string, stages: readonly string[]): string {
  // A line of the script: values of a sweep may hold anything.
  const name = `peco-exp/${experiment}/${commonName(stages)}`.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return clip(name, longestName);
}

/** `tokenizer/*` for `tokenizer/beit` and `tokenizer/peco`. */
export function commonName(stages: readonly string[]): string {
  const [first = '', ...others] = stages;
  if (others.length === 0) return first;
  let length = 0;
  while (length < first.length && others.every((other) => other[length] === first[length])) length += 1;
  // Up to the last end of a word, so that `size=1*` doesn't stand for 16 and 128.
  const whole = first.slice(0, length).replace(/[^/@=,]*$/, '');
  return `${whole === '' ? '' : whole}*`;
}

/** The end tells stages apart as the beginning does. */
function clip(name: string, most: number): string {
  const characters = [...name];
  if (characters.length <= most) return name;
  const half = Math.floor((most - 3) / 2);
  return `${characters.slice(0, half).join('')}...${characters.slice(-half).join('')}`;
}

/** For a line of `#SBATCH`. */
function quoteOption(text: string): string {
  return /^[^\s"'\\#]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
