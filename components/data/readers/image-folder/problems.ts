/** What is wrong with a folder of images, or with the files that go with it. */
export interface FolderProblem {
  /** The field of the config that names it. */
  readonly field: 'root' | 'labels' | 'synsets';
  readonly message: string;
  readonly hint?: string;
}
