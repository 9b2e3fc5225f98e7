/** The program that Pulumi runs. */
import { printErrors } from './stack/printable-errors';
import { program } from './stack/program';

printErrors();

export = program;
