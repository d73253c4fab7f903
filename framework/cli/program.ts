import { Argument, Command, Option } from 'commander';
import type { ProjectFlags } from '../settings/project.ts';
import type { AcceptFlags } from './commands/accept.ts';
import type { DescribeFlags } from './commands/describe.ts';
import type { DoctorFlags } from './commands/doctor.ts';
import type { ExportFlags } from './commands/export.ts';
import type { GcFlags } from './commands/gc.ts';
import type { GraphFlags } from './commands/graph.ts';
import type { InitFlags } from './commands/init.ts';
import type { JobFlags } from './commands/job.ts';
import type { ProvisionFlags } from './commands/provision.ts';
import type { ReportFlags } from './commands/report.ts';
import type { ShowFlags } from './commands/show.ts';
import { addFlags, changes, explainUnknownFlag, parseAge, parseSize, showing } from './flags.ts';
import { readOwnPackage } from './package-root.ts';
import type { ExperimentFlags } from './prepare.ts';
import { printText } from './print.ts';

/** Takes the exit code of a command. */
type Finish = (code: number) => void;

/** The commands, each with its own flags. A command's code is loaded when it is called. */
export function createProgram(finish: Finish): Command {
  const program = new Command('peco-exp')
    .description('Runs experiments on visual tokenizers: only the stages whose meaning changed.')
    .version(readOwnPackage().version)
    .exitOverride()
    .showHelpAfterError('(peco-exp --help lists commands and flags)')
    .helpCommand(false);
  for (const add of [
    addInit,
    addRun,
    addPlan,
    addStatus,
    addCancel,
    addReport,
    addWhy,
    addAccept,
    addDiff,
    addGraph,
    addExport,
    addGc,
    addShow,
    addDescribe,
    addDoctor,
    addProvision,
    addJob,
  ])
    add(program, finish);
  for (const command of [program, ...program.commands]) {
    const name = command === program ? undefined : command.name();
    const explain = (message: string) => explainUnknownFlag(message, name, program.commands);
    command
      .configureOutput({ writeOut: printText, outputError: (message, write) => write(explain(message)) })
      .exitOverride((error) => {
        error.message = explain(error.message).trimEnd(); // with --json it is what is printed
        throw error;
      });
  }
  return program;
}

function addInit(program: Command, finish: Finish): void {
  const command = program
    .command('init')
    .description('Write a project that runs: package.json, tsconfig.json, .gitignore and an experiment.')
    .argument('[folder]', 'a new folder, or one without these files', '.')
    .action(async (folder: string, flags: InitFlags) => {
      const { initCommand } = await import('./commands/init.ts');
      finish(await initCommand(folder, flags));
    });
  addFlags(command, ['json', 'verbose']);
}

function addRun(program: Command, finish: Finish): void {
  const command = program
    .command('run')
    .description('Run an experiment and write its table.')
    .argument('<file>', 'experiment file (.ts)');
  addFlags(command, [...changes, 'upto'])
    .option('--fail-fast', 'stop at the first failed stage (default: make all that can be made)')
    .action(async (file: string, flags: ExperimentFlags) => {
      const { runCommand } = await import('./commands/run.ts');
      finish(await runCommand(file, flags, readOwnPackage().version));
    });
  addFlags(command, ['engine', 'store', 'out', 'tensorboard', 'jobs', 'retries', 'timeout', 'executor']);
  command.option('--watch', 'with slurm: stay until all jobs have ended; Ctrl-C leaves, and they go on');
  addFlags(command, ['json']);
  command.option('--verbose', 'show what stages print, and stacks of errors');
}

function addPlan(program: Command, finish: Finish): void {
  const command = program
    .command('plan')
    .description('Show what would run, and why; run nothing.')
    .argument('<file>', 'experiment file (.ts)')
    .action(async (file: string, flags: ExperimentFlags) => {
      const { planCommand } = await import('./commands/plan.ts');
      finish(await planCommand(file, flags));
    });
  addFlags(command, [...changes, 'upto', 'engine', 'store', 'out', 'jobs', 'json']);
  command.option('--verbose', 'list stored stages one by one, and show stacks of errors');
}

function addStatus(program: Command, finish: Finish): void {
  const command = program
    .command('status')
    .description('Show how far the jobs of Slurm are that make the stages of an experiment.')
    .argument('<file>', 'experiment file (.ts)')
    .action(async (file: string, flags: ExperimentFlags) => {
      const { statusCommand } = await import('./commands/status.ts');
      finish(await statusCommand(file, flags));
    });
  addFlags(command, [...changes, 'upto', 'store', 'json', 'verbose']);
}

function addCancel(program: Command, finish: Finish): void {
  const command = program
    .command('cancel')
    .description('End all jobs of Slurm that were submitted for an experiment file; what they saved stays.')
    .argument('<file>', 'experiment file (.ts)')
    .action(async (file: string, flags: ProjectFlags) => {
      const { cancelCommand } = await import('./commands/status.ts');
      finish(await cancelCommand(file, flags));
    });
  addFlags(command, ['store', 'json', 'verbose']);
}

function addReport(program: Command, finish: Finish): void {
  const command = program
    .command('report')
    .description(
      'Write the tables again from what is stored, also of a run that is not finished; run nothing.',
    )
    .argument('<file>', 'experiment file (.ts)')
    .action(async (file: string, flags: ReportFlags) => {
      const { reportCommand } = await import('./commands/report.ts');
      finish(await reportCommand(file, flags, readOwnPackage().version));
    });
  addFlags(command, [...showing, ...changes, 'store', 'out', 'tensorboard', 'json', 'verbose']);
}

function addWhy(program: Command, finish: Finish): void {
  const command = program
    .command('why')
    .description('Show the fields in which a stage differs from the nearest stored result; run nothing.')
    .argument('<file>', 'experiment file (.ts)')
    .argument(
      '[stage]',
      'a stage, or a pattern such as "tokenizer/*"; without it, all that run by themselves',
    )
    .action(async (file: string, stage: string | undefined, flags: ExperimentFlags) => {
      const { whyCommand } = await import('./commands/why.ts');
      finish(await whyCommand(file, stage, flags));
    });
  addFlags(command, [...changes, 'engine', 'store', 'json', 'verbose']);
}

function addAccept(program: Command, finish: Finish): void {
  const command = program
    .command('accept')
    .description('Declare that a change does not matter to stages: take their nearest stored results.')
    .argument('<file>', 'experiment file (.ts)')
    .argument('[stages...]')
    .option('--all', 'every stage that would run and has a stored result of its kind')
    .option('--anything', 'also where config, data, seed or inputs differ, not only code and packages')
    .action(async (file: string, stages: string[], flags: AcceptFlags) => {
      const { acceptCommand } = await import('./commands/accept.ts');
      finish(await acceptCommand(file, stages, flags));
    });
  addFlags(command, [...changes, 'upto', 'store', 'json', 'verbose']);
}

function addDiff(program: Command, finish: Finish): void {
  const command = program
    .command('diff')
    .description(
      'Show the fields in which two experiments, or two runs, differ, stage by stage; --set, --sweep, --seeds, --tasks and --smoke are for the second.',
    )
    .argument('<file>', 'experiment file (.ts)')
    .argument('<other>')
    .action(async (file: string, other: string, flags: ExperimentFlags) => {
      const { diffCommand } = await import('./commands/diff.ts');
      finish(await diffCommand(file, other, flags));
    });
  addFlags(command, [...changes, 'upto', 'store', 'json', 'verbose']);
}

function addGraph(program: Command, finish: Finish): void {
  const command = program
    .command('graph')
    .description('Print the DAG for mermaid or graphviz.')
    .argument('<file>', 'experiment file (.ts)')
    .addOption(new Option('--format <name>', 'language').choices(['mermaid', 'dot']).default('mermaid'))
    .action(async (file: string, flags: GraphFlags) => {
      const { graphCommand } = await import('./commands/graph.ts');
      finish(await graphCommand(file, flags));
    });
  addFlags(command, [...changes, 'upto', 'store', 'json', 'verbose']);
}

function addExport(program: Command, finish: Finish): void {
  const command = program
    .command('export')
    .description('Write the stored result of a stage as other programs read it; run nothing.')
    .argument('<file>', 'experiment file (.ts)')
    .argument('<stage>')
    .option('--format <name>', 'one of those that the stage has; without it, the command lists them')
    .option('--to <file>', 'file to write (default: the name of the stage, here)')
    .action(async (file: string, stage: string, flags: ExportFlags) => {
      const { exportCommand } = await import('./commands/export.ts');
      finish(await exportCommand(file, stage, flags));
    });
  addFlags(command, [...changes, 'store', 'json', 'verbose']);
}

function addGc(program: Command, finish: Finish): void {
  const command = program
    .command('gc')
    .description('Delete stored results that these experiments do not use, and unused files.')
    .argument('[files...]', 'experiment files (.ts) whose results stay')
    .option('--older-than <age>', 'delete only results unused for this long: 12h, 30d', parseAge)
    .option(
      '--max-size <size>',
      'delete the results unused for longest until the rest fits: 500MB, 20GB',
      parseSize,
    )
    .option('--all', 'delete every result')
    .option('--work', 'delete all work folders of stages, not only those older than a week')
    .option('--dry-run', 'only show what would be deleted')
    .action(async (files: readonly string[], flags: GcFlags) => {
      const { gcCommand } = await import('./commands/gc.ts');
      finish(await gcCommand(files, flags));
    });
  addFlags(command, [...changes, 'upto', 'store', 'json', 'verbose']);
}

function addShow(program: Command, finish: Finish): void {
  const command = program
    .command('show')
    .description('Show runs and stored results; replay one run; describe one result.')
    .argument('[what]', 'a run (its id, a unique start of it, or last) or a stored key')
    .action(async (what: string | undefined, flags: ShowFlags) => {
      const { showCommand } = await import('./commands/show.ts');
      finish(await showCommand(what, flags));
    });
  addFlags(command, ['store', 'json']);
  command.option('--verbose', 'show more of what is stored, and stacks of errors');
}

function addDescribe(program: Command, finish: Finish): void {
  const command = program
    .command('describe')
    .description(
      'Show the fields of a component: types, defaults, what they are; without a name, all components.',
    )
    .argument('[what]', 'a component such as vqvae, or a file (.ts) that exports constructors of your own')
    .action(async (what: string | undefined, flags: DescribeFlags) => {
      const { describeCommand } = await import('./commands/describe.ts');
      finish(await describeCommand(what, flags));
    });
  addFlags(command, ['json', 'verbose']);
}

function addDoctor(program: Command, finish: Finish): void {
  const command = program
    .command('doctor')
    .description('Try every engine on this machine; show the settings and where they come from.')
    .action(async (flags: DoctorFlags) => {
      const { doctorCommand } = await import('./commands/doctor.ts');
      finish(await doctorCommand(readOwnPackage().version, flags));
    });
  addFlags(command, ['engine', 'store', 'out', 'jobs', 'retries', 'timeout', 'json', 'verbose']);
}

function addProvision(program: Command, finish: Finish): void {
  const command = program
    .command('provision')
    .description('Fetch and build the library of an engine that npm does not carry; ask first.')
    .addArgument(new Argument('<engine>', 'the engine').choices(['tensorflow']))
    .option('--gpu', "for NVIDIA's GPUs (3.4 GB to download) instead of the CPU (274 MB)")
    .option('--yes', 'do not ask')
    .action(async (engine: string, flags: ProvisionFlags) => {
      const { provisionCommand } = await import('./commands/provision.ts');
      finish(await provisionCommand(engine, flags));
    });
  addFlags(command, ['json', 'verbose']);
}

/** What the scripts of Slurm's jobs call; nothing for people. */
function addJob(program: Command, finish: Finish): void {
  const command = program
    .command('job', { hidden: true })
    .argument('<folder>')
    .argument('<task>')
    .action(async (folder: string, task: string, flags: JobFlags) => {
      const { jobCommand } = await import('./commands/job.ts');
      finish(await jobCommand(folder, Number(task), flags, readOwnPackage().version));
    });
  addFlags(command, ['json']);
}
