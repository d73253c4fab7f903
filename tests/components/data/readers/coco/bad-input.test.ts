import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { expectMasks, expectObjects, expectTarget } from '../../../../../components/data/expect-target.ts';
import { coco } from '../../../../../components/data/readers/coco/config.ts';
import { load } from '../../../../../components/data/readers/coco/load.ts';
import { tinyCoco } from '../../../../../components/data/readers/coco/tiny.ts';
import { createProject } from '../../../../support/project.ts';
import { leafInput } from '../../../../support/stage-input.ts';

type Entry = { [field: string]: unknown };
interface File {
  images: Entry[];
  annotations: Entry[];
  categories: Entry[];
}

const box = { bbox: [1, 1, 3, 3], area: 9, iscrowd: 0 };
const square = [[1, 1, 4, 1, 4, 4, 1, 4]];

/** Two images of 6 x 5 pixels with three squares, and one without any; categories 3 and 7. */
function whole(): File {
  const image = (id: number) => ({ id, file_name: `${id}.jpg`, width: 6, height: 5 });
  return {
    images: [image(12), image(5), image(7)],
    annotations: [
      { id: 31, image_id: 12, category_id: 7, segmentation: square, ...box },
      { id: 30, image_id: 5, category_id: 3, segmentation: square, ...box },
      { id: 33, image_id: 12, category_id: 3, segmentation: square, ...box },
    ],
    categories: [
      { id: 7, name: 'dog' },
      { id: 3, name: 'cat' },
    ],
  };
}

/** Writes annotations and empty files as their images; what is read of those is their names. */
function placesOf(
  t: ExecutionContext,
  file: File | string | Uint8Array,
  images = ['5.jpg', '7.jpg', '12.jpg', 'more.jpg'],
) {
  const project = createProject(t, Object.fromEntries(images.map((name) => [`images/${name}`, ''])));
  mkdirSync(project.file('images'), { recursive: true });
  const isWritten = typeof file === 'string' || file instanceof Uint8Array;
  writeFileSync(project.file('some.json'), isWritten ? file : JSON.stringify(file));
  return { annotations: project.file('some.json'), images: project.file('images') };
}

/** Problems as a user sees them. */
function told(input: Parameters<typeof coco>[0], ...places: string[]): string[] {
  return coco(input).issues.map(({ path: field, message, hint, missing }) =>
    places.reduce(
      (text, place) => text.replaceAll(place, 'ROOT'),
      `${field.join('.')}${missing ? ' (missing)' : ''}: ${message}${hint === undefined ? '' : `\n${hint}`}`,
    ),
  );
}

function problemsOf(t: ExecutionContext, file: File | string | Uint8Array, images?: string[]): string[] {
  const places = placesOf(t, file, images);
  return told(places, path.dirname(places.annotations));
}

/** The whole file with a change. */
function changed(change: (file: File) => void): File {
  const file = whole();
  change(file);
  return file;
}

const entry = (list: keyof File, place: number, fields: Entry) =>
  changed((file) => void Object.assign(file[list][place]!, fields));

const annotated = (fields: Entry, place = 0) => entry('annotations', place, fields);

test('categories with gaps are classes in the order of their numbers, whatever the order of the file', async (t) => {
  const places = placesOf(t, whole());
  const component = coco(places);
  t.deepEqual(component.issues, []);
  t.like(component.provides, { images: 3, classes: 2, classNames: ['cat', 'dog'], masks: true });
  const data = await load(leafInput(component));
  t.deepEqual(
    [data.classes, data.classNumbers],
    [
      ['cat', 'dog'],
      [3, 7],
    ],
  );
  const seen = await Promise.all([0, 1, 2].map((index) => data.target(index)));
  t.deepEqual(
    seen.map(({ imageId, instances }) => [imageId, ...instances.map((one) => [one.id, one.class])]),
    [[5, [30, 0]], [7], [12, [31, 1], [33, 0]]],
  );
  t.is((await load(leafInput(coco({ ...places, emptyImages: 'skip' })))).count, 2);
});

test('lists in any order are read the same', async (t) => {
  const { images, annotations, categories } = whole();
  const turned = JSON.stringify({ annotations, info: { a: ['}', '\\"]'] }, categories, images }, null, 1);
  const [one, other] = [whole(), turned].map((file) => coco(placesOf(t, file)));
  t.deepEqual([other!.issues, other!.provides], [[], one!.provides]);
  const [a, b] = await Promise.all([one, other].map((component) => load(leafInput(component!))));
  for (const index of [0, 1, 2]) t.deepEqual(await a!.target(index), await b!.target(index));
  // Masks are compared with images that come later, too.
  const runs = { size: [6, 5], counts: [30] };
  const odd = JSON.stringify({
    annotations: [{ ...annotations[0], segmentation: runs }],
    categories,
    images,
  });
  t.regex(problemsOf(t, odd)[0]!, /run lengths of another size than their image: 31\n/);
});

test('a file that is cut, no JSON, or JSON of another kind is reported in one line with what to do', (t) => {
  const text = JSON.stringify(whole());
  const other = (change: object) => JSON.stringify({ ...whole(), ...change });
  t.snapshot({
    cut: problemsOf(t, text.slice(0, text.indexOf('"id":33') + 3)),
    'cut between lists': problemsOf(t, text.slice(0, text.indexOf(',"annotations"'))),
    'cut at its end': problemsOf(t, text.slice(0, -1)),
    empty: problemsOf(t, ''),
    'no JSON': problemsOf(t, '<!DOCTYPE html>'),
    'a number that JSON has not': problemsOf(t, text.replace('[1,1,3,3]', '[NaN,1,3,3]')),
    'broken within': problemsOf(t, text.replace('"iscrowd":0', '"iscrowd":')),
    'a comma too many at the end': problemsOf(t, text.replace(/}$/, ',}')),
    compressed: problemsOf(t, gzipSync(text)),
    'two bytes a letter': problemsOf(t, Buffer.from(`\uFEFF${text}`, 'utf16le')),
    'two objects': problemsOf(t, `${text}\n${text}`),
    'a comma too many': problemsOf(t, text.replace('}],"categories"', '},],"categories"')),
    'a list': problemsOf(t, '[{"image_id": 5, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.5}]'),
    captions: problemsOf(t, other({ annotations: [{ id: 1, image_id: 5, caption: 'a dog' }] })),
    panoptic: problemsOf(t, other({ annotations: [{ image_id: 5, segments_info: [] }] })),
    'a test split': problemsOf(t, other({ annotations: undefined })),
    'no images': problemsOf(t, other({ images: [] })),
    'no categories': problemsOf(t, other({ categories: undefined })),
    'a list that is none': problemsOf(t, other({ annotations: { 31: {} } })),
  });
});

test('entries that contradict each other or are incomplete are reported by their numbers', (t) => {
  const runs = (size: number[], counts: unknown) => annotated({ segmentation: { size, counts } });
  t.snapshot({
    'image twice': problemsOf(t, entry('images', 1, { id: 12 })),
    'image without a number': problemsOf(t, entry('images', 1, { id: '5' })),
    'image without a size': problemsOf(t, entry('images', 0, { height: 0 })),
    'image elsewhere': problemsOf(t, entry('images', 0, { file_name: '../12.jpg' })),
    'hidden image': problemsOf(t, entry('images', 0, { file_name: 'a/..12.jpg' })),
    'image of another format': problemsOf(t, entry('images', 0, { file_name: '12.tif' })),
    'images that are not there': problemsOf(t, whole(), ['12.jpg']),
    'category twice': problemsOf(t, entry('categories', 0, { id: 3 })),
    'name twice': problemsOf(t, entry('categories', 0, { name: 'cat' })),
    'annotation twice': problemsOf(t, annotated({ id: 30 })),
    'annotation without a number': problemsOf(t, annotated({ id: undefined })),
    'image by name': problemsOf(t, annotated({ image_id: '12' })),
    'no category': problemsOf(t, annotated({ category_id: null })),
    'unknown image': problemsOf(t, annotated({ image_id: 13 })),
    'unknown category': problemsOf(t, annotated({ category_id: 12 })),
    'no box': problemsOf(t, annotated({ bbox: undefined })),
    'half a box': problemsOf(t, annotated({ bbox: [1, 2, null, 4] })),
    // JSON.parse makes Infinity of it, and an object of such an area would be found in no range.
    'endless area': problemsOf(t, JSON.stringify(annotated({ area: -7 })).replace('-7', '1e400')),
    'no area': problemsOf(t, annotated({ area: undefined })),
    ignored: problemsOf(t, annotated({ ignore: 1 })),
    'odd crowd': problemsOf(t, annotated({ iscrowd: 2 })),
    'one flat outline': problemsOf(t, annotated({ segmentation: square[0] })),
    'no coordinates': problemsOf(t, annotated({ segmentation: [[1, 1, 4, null, 4, 4]] })),
    'far away': problemsOf(t, annotated({ segmentation: [[1, 1, 4e9, 1, 4, 4]] })),
    'turned runs': problemsOf(t, runs([6, 5], [30])),
    'short runs': problemsOf(t, runs([5, 6], [3, 4, 22])),
    'negative runs': problemsOf(t, runs([5, 6], [31, -1])),
    'cut text of runs': problemsOf(t, runs([5, 6], 'Q')),
    'many at once': problemsOf(
      t,
      changed(({ annotations }) => {
        for (let n = 0; n < 1500; n++) annotations.push({ ...annotations[0], id: 100 + n, image_id: n });
        annotations.push({ ...annotations[0] });
      }),
    ),
  });
});

test('what official tools take is taken: groups as polygons, objects as runs, boxes only, compressed runs', async (t) => {
  const one = async (fields: Entry) => {
    const component = coco(placesOf(t, annotated(fields, 1)));
    t.deepEqual(component.issues, []);
    const data = await load(leafInput(component));
    const { instances } = await data.target(0);
    return { ...instances[0]!, notes: data.notes, masks: component.provides!.masks };
  };
  t.like(await one({ iscrowd: 1 }), { crowd: true, mask: { outlines: square } });
  const counts = Uint32Array.of(6, 3, 2, 3, 2, 3, 11);
  const runs = { height: 5, width: 6, counts };
  t.deepEqual((await one({ segmentation: { size: [5, 6], counts: [...counts] } })).mask, runs);
  // pycocotools: mask.frPyObjects({'size': [5, 6], 'counts': [6, 3, 2, 3, 2, 3, 11]}, 5, 6)['counts'] is b'6320009'.
  t.deepEqual((await one({ segmentation: { size: [5, 6], counts: '6320009' } })).mask, runs);
  for (const segmentation of [undefined, []]) {
    const { mask, masks } = await one({ segmentation });
    t.deepEqual([mask, masks], [undefined, false]);
  }
  t.like(await one({ iscrowd: undefined }), { crowd: false });
});

test('outlines that are none are left out, and boxes that have nothing of the image are kept: both are said', async (t) => {
  const opened = async (fields: Entry) => {
    const data = await load(leafInput(coco(placesOf(t, annotated(fields, 1)))));
    return { instance: (await data.target(0)).instances[0]!, notes: data.notes };
  };
  const point = [2, 2, 3, 3];
  const some = await opened({ segmentation: [point, ...square, [1, 1, 4, 1, 4, 4, 1]] });
  t.deepEqual(some.instance.mask, { outlines: square });
  const none = await opened({ segmentation: [point] });
  t.deepEqual(none.instance.mask, { height: 5, width: 6, counts: Uint32Array.of(30) });
  for (const bbox of [
    [1, 1, 3, 0],
    [6, 1, 3, 3],
    [1, -3, 3, 3],
    [1, 1, -3, 3],
  ]) {
    const { instance, notes } = await opened({ bbox });
    t.deepEqual([...instance.box], bbox);
    t.deepEqual(notes, ['objects whose box has no area in the image, which are not learnt from: 1']);
  }
  t.deepEqual((await opened({ bbox: [-2, 4, 3, 30] })).notes, []);
  t.snapshot([some.notes, none.notes]);
  // detectron2: an image whose only object has no outline has no object.
  const places = placesOf(t, annotated({ segmentation: [point] }, 1));
  t.is(coco({ ...places, emptyImages: 'skip' }).provides?.images, 1);
});

test('a root that is not there, or one level off, is reported with the tree or with the one that was meant', (t) => {
  const root = createProject(t, {}).file('coco');
  cpSync(tinyCoco.root, root, { recursive: true });
  const above = path.dirname(root);
  const at = (place: string) => told({ root: place, split: 'val2017' }, root, above);
  t.deepEqual(at(root), []);
  t.snapshot({
    'not there': at(path.join(above, 'x')),
    'too high': at(above),
    'too low': at(path.join(root, 'annotations')),
    'a variable that is not set': at('$COCO'),
  });
  t.like(coco({ root: '$COCO', split: 'train2017' }).provides, { images: 117_266, classes: 80 });
  t.like(coco({ root: '$COCO', split: 'val2017' }).provides, { images: 5_000, classes: 80 });
  rmSync(path.join(root, 'val2017'), { recursive: true });
  mkdirSync(path.join(root, 'images/val2017'), { recursive: true });
  t.snapshot(at(root), 'images elsewhere');
  rmSync(path.join(root, 'annotations/instances_val2017.json'));
  t.snapshot(at(root), 'images only');
});

test('fields that say too little or do not fit are reported', (t) => {
  const { root } = tinyCoco;
  const file = path.join(root, 'annotations/instances_train2017.json');
  t.snapshot([
    told({}),
    told({ root }),
    told({ split: 'val2017' }),
    told({ annotations: file }),
    told({ annotations: path.join(root, 'a.json'), images: path.join(root, 'test2017') }, root),
    told({ root, split: 'train2017', expected: { images: 118_287 } }, root),
    // Annotations of other images.
    told({ root, split: 'val2017', annotations: file }, root),
  ]);
});

test('a smoke run reads the folder that ships', (t) => {
  const real = [
    { root: '/x', split: 'train2017' },
    { annotations: '/x.json', images: '/x' },
  ] as const;
  for (const input of real)
    for (const member of ['train', 'test']) {
      const smoke = coco({ ...input, expected: { images: 9 } }).smoke!({ member, inputs: {} });
      const { issues, provides } = coco({ ...input, ...smoke });
      t.deepEqual(issues, []);
      t.true([21, 24].includes(provides!.images as number));
    }
});

test('images may be in folders of the folder; places that can not be read are reported', async (t) => {
  const nested = changed(({ images }) => {
    for (const image of images) image.file_name = `a/b/${image.id}.jpg`;
  });
  t.deepEqual(problemsOf(t, nested, ['a/b/5.jpg', 'a/b/7.jpg', 'a/b/12.jpg']), []);
  const places = placesOf(t, nested, ['a/b/5.jpg', 'a/7.jpg', 'a/b/12.jpg']);
  const { images, annotations } = places;
  t.snapshot([
    told(places, path.dirname(images)),
    told({ annotations: images, images }, path.dirname(images)),
    told({ annotations, images: annotations }, path.dirname(images)),
  ]);
});

test('a file that changes between two looks is read again', async (t) => {
  const places = placesOf(t, whole());
  t.is(coco(places).provides?.images, 3);
  writeFileSync(places.annotations, JSON.stringify(changed(({ images }) => void images.splice(2))));
  t.is(coco(places).provides?.images, 2);
});

test('a task says which targets it needs, and of which kind they are', (t) => {
  const data = (input: Parameters<typeof coco>[0]) => ({ name: 'data.train', facts: coco(input).provides! });
  const boxes = data(placesOf(t, annotated({ segmentation: undefined })));
  const masks = data(placesOf(t, whole()));
  t.deepEqual(
    [expectTarget('instances', masks), expectMasks(masks), expectTarget('class', undefined)],
    [[], [], []],
  );
  const groups = changed(({ annotations }) => {
    for (const one of annotations) one.iscrowd = 1;
  });
  const empty = data(placesOf(t, groups));
  for (const use of ['learnt', 'found'] as const) t.deepEqual(expectObjects(masks, use), []);
  t.deepEqual(
    [...expectObjects(empty, 'learnt'), ...expectObjects(empty, 'found')].map(({ message }) => message),
    ['data.train has no object that is learnt from', 'data.train has no object that is to be found'],
  );
  const said = [...expectTarget('class', masks), ...expectTarget('label map', masks), ...expectMasks(boxes)];
  t.snapshot(said.map(({ message, hint }) => `${message}\n${hint}`));
});
