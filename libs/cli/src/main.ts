#!/usr/bin/env node
import process from 'node:process';
import { run } from './run.js';

const { argv, env, stdout, stderr } = process;

void run(argv.slice(2), {
  env,
  cwd: process.cwd(),
  out: (text) => void stdout.write(text),
  error: (text) => void stderr.write(text),
}).then((code) => {
  process.exitCode = code;
});
