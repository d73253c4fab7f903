import test from 'ava';
import { testExecutor } from '../support/executor-suite.ts';

testExecutor(test, 'local', ['--executor', 'local']);
