import assert from "node:assert/strict";
import { test } from "node:test";
import { Aborted, Scope } from "../src/core/scope";

test("everything is released once, last first, also after one that fails", () => {
  const released: string[] = [];
  const scope = new Scope();
  scope.defer(() => released.push("first"));
  scope.defer(() => {
    throw new Error("stuck");
  });
  scope.defer(() => released.push("last"));
  scope.close();
  scope.close();
  assert.deepEqual(released, ["last", "first"]);
});

test("what comes too late is released on arrival", async () => {
  const scope = new Scope();
  let arrive = (_: string) => {};
  let released = "";
  const owned = scope.own(new Promise<string>((resolve) => (arrive = resolve)), (value) => (released = value));
  scope.close();
  arrive("microphone");
  await assert.rejects(owned, Aborted);
  assert.equal(released, "microphone");
});

test("whoever waits is woken when the scope closes", async () => {
  const scope = new Scope();
  const waits = [scope.sleep(60_000), scope.race(new Promise(() => {}))];
  scope.close();
  for (const wait of waits) await assert.rejects(wait, Aborted);
});

test("a part closes by itself, and with the whole", () => {
  const whole = new Scope();
  const [part, other] = [whole.child(), whole.child()];
  part.close();
  assert.equal(whole.closed, false);
  whole.close();
  assert.equal(other.closed, true);
});
