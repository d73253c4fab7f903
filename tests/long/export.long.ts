import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import * as ort from 'onnxruntime-node';
import { saveBackbone } from '../../components/backbone/checkpoint.ts';
import { vit, vitSchema } from '../../components/backbone/config.ts';
import { initVit } from '../../components/backbone/init.ts';
import { saveClassifier } from '../../components/downstream/finetune/checkpoint.ts';
import { exportResult as exportFineTuning } from '../../components/downstream/finetune/export.ts';
import { initClassifier } from '../../components/downstream/finetune/model.ts';
import { random } from '../../components/nn/random.ts';
import { exportResult as exportPretraining } from '../../components/pretraining/mim/export.ts';
import type { StageInput } from '../../framework/stage/contract.ts';
import { uniforms } from '../components/engine/steps/support/seeded.ts';

/** Python with PyTorch, timm and safetensors. */
const python = process.env.PYTHON;
const withTimm = python === undefined ? test.skip : test;

const script = `
import json, sys
import numpy, timm, torch
from safetensors.torch import load_file
directory = sys.argv[1]
image = torch.from_numpy(numpy.fromfile(directory + '/image.f32', numpy.float32)).reshape(1, 224, 224, 3)
mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
pixels = ((image - mean) / deviation).permute(0, 3, 1, 2).double()
for name, options, forward in [
    ('pretraining', dict(num_classes=0, global_pool=''), lambda model: model.forward_features(pixels)),
    ('fine-tuning', dict(num_classes=1000), lambda model: model(pixels)),
]:
    model = timm.create_model('beit_base_patch16_224', **options)
    model.load_state_dict(load_file(directory + '/' + name + '.safetensors'), strict=True)
    again = model.state_dict()
    assert all(torch.equal(again[key], value) for key, value in load_file(directory + '/' + name + '.safetensors').items())
    with torch.no_grad():
        forward(model.double().eval()).float().numpy().tofile(directory + '/' + name + '.f32')
`;

withTimm(
  "timm's beit_base_patch16_224 loads exported weights strictly, and computes what the ONNX file does",
  async (t) => {
    t.timeout(600_000);
    const dir = mkdtempSync(path.join(os.tmpdir(), 'peco-exp-test-'));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const config = vitSchema.parse(vit('base/16'));
    const weights = initVit(random(0, 'vit'), config, 224);
    for (const [i, number] of uniforms('table', weights.relativePositions!.data.length).entries())
      weights.relativePositions!.data[i] = number - 0.5;
    const image = Float32Array.from(uniforms('image', 224 * 224 * 3));
    writeFileSync(path.join(dir, 'image.f32'), image);
    await saveBackbone(dir, { config, imageSize: 224, weights });
    saveClassifier(dir, {
      config,
      imageSize: 224,
      weights: initClassifier(random(0, 'head'), weights, 1000),
    });
    const input = { dir } as StageInput;
    const exported = { pretraining: exportPretraining, 'fine-tuning': exportFineTuning };
    for (const [name, exportResult] of Object.entries(exported)) {
      await exportResult(input, { format: 'timm', file: path.join(dir, `${name}.safetensors`) });
      await exportResult(input, { format: 'onnx', file: path.join(dir, `${name}.onnx`) });
    }
    execFileSync(python!, ['-c', script, dir], { stdio: ['ignore', 'inherit', 'inherit'] });
    for (const name of Object.keys(exported)) {
      const expected = new Float32Array(new Uint8Array(readFileSync(path.join(dir, `${name}.f32`))).buffer);
      const session = await ort.InferenceSession.create(path.join(dir, `${name}.onnx`));
      const results = await session.run({
        'batch/images': new ort.Tensor('float32', image, [1, 224, 224, 3]),
      });
      const values = Object.values(results)[0]!.data as Float32Array;
      t.is(values.length, expected.length);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!)), 0);
      t.log(
        `${name}: worst of ${values.length} elements off by ${(off / largest).toExponential(1)} of the largest`,
      );
      t.true(off / largest < 1e-5);
    }
  },
);
