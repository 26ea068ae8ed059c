# %% [markdown]
# # What came of `{stem}`
#
# This notebook reads the files that Kiln made of one training run and works out again what its
# page shows: the settings, the curves, the confusion matrix, precision and recall, AUROC and the
# worst mistakes. Put it into one folder with `{stem}.config.json`, `{stem}.csv` and
# `{stem}.predictions.csv`, and run all cells from top to bottom. It needs pandas, matplotlib and
# scikit-learn: `pip install pandas matplotlib scikit-learn`.

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from sklearn import metrics

STEM = "{stem}"


def found(ending):
    """The file's path; nothing, and a sentence, where it is not there."""
    path = Path(STEM + ending)
    if path.exists():
        return path
    print(f"{path} is not here. Download it in Kiln, put it beside this notebook and run it again.")


# %% [markdown]
# ## Settings
#
# Experiment management: write down settings, data, seed and result of every attempt, so you can
# compare and repeat it. These six settings decide most of what a run does: how often every image
# is seen, how many images make one step, which share of the images is kept back to validate on,
# what is minimised, by which optimizer, and what is reported. All other settings follow.

# %%
config = None
if path := found(".config.json"):
    config = json.loads(path.read_text(encoding="utf-8"))
    keys = ["epochs", "batch_size", "validation_split", "loss", "optimizer", "metric"]
    for key in keys:
        print(f"{key:20}{config[key]}")
    print()
    # An optimizer's own settings, such as the momentum, stand beside its name.
    others = {**config["settings"], **config["settings"]["optimizer"]}
    for key, value in others.items():
        if key not in [*keys, "name"]:
            print(f"{key:20}{value}")
    print()
    print(f"{'data':20}{config['data']['name']}")
    print(f"{'steps done':20}{config['steps_done']} ({config['status']})")
    print(f"{'fingerprint':20}{config['fingerprint']}")

# %% [markdown]
# ## Loss and accuracy
#
# Every training step measures the loss (mean cross-entropy, in nats) and the accuracy (share of
# right answers) of its own images, with dropout on: that is the faint line. The line in steps is
# the mean over each epoch. The dots are validations: images that the network was not trained on,
# with dropout off, which is why validation is often better than training. Where training goes on
# to improve and validation does not, the network learns its training images by heart.

# %%
if path := found(".csv"):
    # A run may be called NA or 123, which pandas would take for no name or for a number.
    measured = pd.read_csv(
        path, dtype={"run": str}, keep_default_na=False, na_values={"value": ["NaN"]}
    )
    figure, axes = plt.subplots(1, 2, figsize=(12, 4))
    for axis, what in zip(axes, ["loss", "accuracy"]):
        for series, style in [
            (f"train/{what}", {"alpha": 0.35, "label": "training steps"}),
            (f"train/epoch_{what}", {"drawstyle": "steps-pre", "label": "training, epoch means"}),
            (f"validation/{what}", {"marker": "o", "label": "validation"}),
        ]:
            rows = measured[measured["series"] == series]
            steps, values = list(rows["step"]), list(rows["value"])
            if values and "epoch" in series:
                # An epoch's mean holds over the whole epoch.
                steps, values = [0, *steps], [values[0], *values]
            if values:
                axis.plot(steps, values, **style)
        axis.set_xlabel("step")
        axis.set_ylabel(what)
        axis.set_ylim(bottom=0)
        if axis.lines:
            axis.legend()
    plt.show()
    last = measured.groupby("series", sort=False)["value"].last()
    print("The last of each:")
    print(last.to_string() if len(last) else "Nothing was measured.")

# %% [markdown]
# ## Answers
#
# The file of predictions has a row for each validation and test image: the class it is of, the
# class it was taken for, and the probability of each of the ten classes, which are the digits
# unless the settings name others. Test images are looked at here; where the run was not scored on
# them, validation images.

# %%
answers = None
names = config["data"]["class_names"] if config else [str(label) for label in range(10)]
if path := found(".predictions.csv"):
    predictions = pd.read_csv(path)
    split = "test" if "test" in set(predictions["split"]) else "validation"
    answers = predictions[predictions["split"] == split].reset_index(drop=True)
    labels = list(range(10))
    probabilities = answers[[f"probability_{label}" for label in labels]].to_numpy()
    print(f"{len(answers)} {split} images, answered after {answers['step'].iloc[0]} steps")

# %% [markdown]
# ## Label histograms
#
# How many images there are of each class, and how often each was answered. Where one class is
# much rarer than the others, accuracy says little about it: look at each class as well.

# %%
if answers is not None:
    counts = pd.DataFrame(
        {
            "true": answers["true"].value_counts(),
            "predicted": answers["predicted"].value_counts(),
        },
        index=labels,
    ).fillna(0).astype(int)
    counts.index = names
    counts.plot.bar(figsize=(8, 3), rot=45, xlabel="class", ylabel="images")
    plt.show()
    print(counts.T.to_string())

# %% [markdown]
# ## Confusion matrix
#
# Which classes are taken for which: a row for each class, a column for each class that it was
# taken for. The diagonal is right; everything beside it is a mistake.

# %%
if answers is not None:
    matrix = metrics.confusion_matrix(answers["true"], answers["predicted"], labels=labels)
    display = metrics.ConfusionMatrixDisplay(matrix, display_labels=names)
    figure, axis = plt.subplots(figsize=(7, 7))
    display.plot(ax=axis, cmap="Blues", colorbar=False, xticks_rotation=45)
    plt.show()
    print(pd.DataFrame(matrix, index=names, columns=names).to_string())

# %% [markdown]
# ## Precision, recall, F1 and AUROC
#
# Metric: one number that summarises results. Different metrics can rank the same models
# differently. Precision: of the images called a class, how many are of it. Recall: of all
# images of a class, how many were found. F1 is the harmonic mean of the two. AUROC: the chance
# that a random image of the class scores higher than a random image of another one; 0.5 is
# guessing, 1 is perfect. What cannot be worked out, because there are no such images, shows NaN
# and counts for no mean.

# %%
if answers is not None:
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        answers["true"], answers["predicted"], labels=labels, zero_division=float("nan")
    )
    areas = [
        metrics.roc_auc_score(answers["true"] == label, probabilities[:, label])
        if 0 < support[label] < len(answers)
        else float("nan")
        for label in labels
    ]
    scores = pd.DataFrame(
        {"support": support, "precision": precision, "recall": recall, "F1": f1, "AUROC": areas},
        index=pd.Index(names, name="class"),
    )
    print(f"accuracy {metrics.accuracy_score(answers['true'], answers['predicted']):.4f}")
    print(scores.round(4).to_string())
    print("mean of the classes:")
    print(scores.drop(columns="support").mean().round(4).to_string())

# %% [markdown]
# ## Worst mistakes
#
# The wrong answers that the network was surest of. The index counts the images of the split from
# 0, in the order of the data's files. The images are not in the files; Kiln shows them in Evaluate.

# %%
if answers is not None:
    wrong = answers[answers["true"] != answers["predicted"]].copy()
    wrong["probability"] = [
        probabilities[row, label] for row, label in zip(wrong.index, wrong["predicted"])
    ]
    for column in ["true", "predicted"]:
        wrong[column] = [names[label] for label in wrong[column]]
    worst = wrong.sort_values("probability", ascending=False, kind="stable").head(20)
    print(f"{len(wrong)} of {len(answers)} are wrong.")
    print(worst[["index", "true", "predicted", "probability"]].to_string(index=False))
