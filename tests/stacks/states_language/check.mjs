// Reads {"definitions": [...], "expressions": [...], "evaluations": [[expression, bindings], ...]} from standard input;
// writes what the validator and JSONata say of each.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.argv[2]}/`);
const validate = require("asl-validator");
const jsonata = require("jsonata");

function said(attempt) {
  try {
    return { result: attempt() };
  } catch (error) {
    return { error: error.message ?? String(error) };
  }
}

const asked = JSON.parse(readFileSync(0, "utf8"));
const definitions = asked.definitions.map((definition) => {
  const { isValid, errorsText } = validate(definition);
  return isValid ? null : errorsText();
});
const expressions = asked.expressions.map((text) => said(() => jsonata(text) && null).error ?? null);
const evaluations = [];
for (const [text, bindings] of asked.evaluations) {
  try {
    evaluations.push({ result: (await jsonata(text).evaluate({}, bindings)) ?? null });
  } catch (error) {
    evaluations.push({ error: error.message });
  }
}
console.log(JSON.stringify({ definitions, expressions, evaluations }));
