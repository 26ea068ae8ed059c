// Measures one library as the address says, `?library=jax&device=webgpu&batch=32`, and leaves in
// `window.outcome` the images a second or the reason why there are none.

const WINDOWS = 3;
const WINDOW_MS = 2000;

async function imagesPerSecond(library, device, batch) {
  const { network } = await import(`./${library}.js`);
  const trained = await network(device, batch);
  const run = async (steps) => {
    const start = performance.now();
    for (let step = 0; step < steps; step += 1) trained.step();
    const loss = await trained.loss();
    if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    return performance.now() - start;
  };
  // The first compiles everything.
  await run(2);
  const steps = Math.max(1, Math.round(WINDOW_MS / (await run(1))));
  const rates = [];
  for (let window = 0; window < WINDOWS; window += 1) {
    rates.push((steps * batch * 1000) / (await run(steps)));
  }
  return rates.sort((a, b) => a - b)[WINDOWS >> 1];
}

const asked = new URLSearchParams(location.search);
try {
  const [library, device] = [asked.get("library"), asked.get("device")];
  window.outcome = { rate: await imagesPerSecond(library, device, Number(asked.get("batch"))) };
} catch (error) {
  window.outcome = { failure: String(error?.message ?? error) };
}
