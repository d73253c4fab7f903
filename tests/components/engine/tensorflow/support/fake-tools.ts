import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Catalogue, Download } from '../../../../../components/engine/tensorflow/provision/catalogue.ts';
import { createProject, type Project } from '../../../../support/project.ts';
import { zipOf } from '../../../weights/torch/support/zip.ts';

/** A registry in a folder, and programs that fetch from it and build instead of pip, npm, g++. */
export interface FakeTools extends Project {
  readonly env: NodeJS.ProcessEnv;
  readonly catalogue: Catalogue;
  /** What was called since the last look, without its flags: `pip tensorflow==2.21.0`. */
  takeCalls(): string[];
  /** Replaces what the registry has of a package. */
  publish(name: string, bytes: Uint8Array): void;
  /** From now on the registry has nothing of it. */
  withdraw(name: string): void;
}

const scripts = {
  python3: `#!/bin/sh
case "$*" in *--version*) exit 0 ;; esac
while [ $# -gt 1 ]; do [ "$1" = --dest ] && dest=$2; shift; done
echo "pip $1" >> "$FAKE/calls"
cp "$FAKE/registry/\${1%%==*}/"* "$dest" 2> "$FAKE/copy" && exit 0
echo "ERROR: Could not find a version that satisfies the requirement $1" >&2
echo "ERROR: No matching distribution found for $1" >&2
exit 1
`,
  npm: `#!/bin/sh
case "$*" in *--version*) exit 0 ;; esac
while [ $# -gt 1 ]; do [ "$1" = --pack-destination ] && dest=$2; shift; done
echo "npm $1" >> "$FAKE/calls"
cp "$FAKE/registry/\${1%@*}/"* "$dest"
`,
  'g++': `#!/bin/sh
case "$*" in *--version*) exit 0 ;; esac
echo "g++" >> "$FAKE/calls"
[ -e "$FAKE/broken" ] && { echo "tfjs_backend.cc:1:10: fatal error: stdlib.h: No such file" >&2; exit 1; }
while [ $# -gt 1 ]; do [ "$1" = -o ] && echo built > "$2"; shift; done
exit 0
`,
  tar: `#!/bin/sh
exit 0
`,
};

/** Wheels of two packages: a library with things that nothing needs, and one of CUDA's. */
export function createFakeTools(t: ExecutionContext): FakeTools {
  const project = createProject(t, {});
  for (const [name, text] of Object.entries(scripts)) {
    project.write({ [`bin/${name}`]: text });
    fs.chmodSync(project.file(`bin/${name}`), 0o755);
  }
  const publish = (name: string, bytes: Uint8Array) => {
    const dir = project.file(`registry/${name}`);
    fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(path.join(dir, fileOf(name)), bytes);
  };
  const packages = contents();
  for (const [name, bytes] of packages) publish(name, bytes);
  const [tensorflow, cublas, addon, headers] = packages.map(([name, bytes]) => describe(name, bytes));
  return {
    ...project,
    env: {
      PATH: `${project.file('bin')}:/bin:/usr/bin`,
      FAKE: project.dir,
      PECO_TENSORFLOW: project.file('library'),
    },
    catalogue: {
      tensorflow: '2.21.0',
      cuda: '12.5',
      wheels: [tensorflow, cublas],
      addon,
      headers,
      unpacked: 3000,
    },
    takeCalls() {
      const calls = fs.existsSync(project.file('calls')) ? project.read('calls').trim().split('\n') : [];
      fs.rmSync(project.file('calls'), { force: true });
      return calls;
    },
    publish,
    withdraw: (name) => project.remove(`registry/${name}`),
  };
}

const fileOf = (name: string) => `${name.replaceAll('/', '-')}-1.0-py3-none-manylinux_2_27_x86_64.whl`;

function describe(name: string, bytes: Uint8Array): Download {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, version: '1.0', file: fileOf(name), bytes: bytes.length, sha256 };
}

const wheel = (files: { readonly [name: string]: string }) =>
  zipOf(Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text), compressed: true })));

function contents(): [name: string, bytes: Uint8Array][] {
  return [
    [
      'tensorflow',
      wheel({
        'tensorflow/libtensorflow_cc.so.2': 'library',
        'tensorflow/libtensorflow_framework.so.2': 'framework',
        'tensorflow/include/tensorflow/c/c_api.h': 'header',
        'tensorflow/include/tensorflow/c/kernels.h': 'of no use',
        'tensorflow/python/training.py': 'of no use',
      }),
    ],
    [
      'nvidia-cublas-cu12',
      wheel({
        'nvidia/cublas/lib/libcublas.so.12': 'products',
        'nvidia/cublas/lib/__init__.py': 'of no use',
        'nvidia/cuda_nvcc/bin/ptxas': 'assembler',
        'nvidia_cublas_cu12-1.0.dist-info/License.txt': 'licence',
      }),
    ],
    ['tfjs-node', Buffer.from('sources')],
    ['node-api-headers', Buffer.from('headers')],
  ];
}
