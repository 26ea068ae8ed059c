//! Runs that are kept, charted and compared, as a person meets them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kiln_tests::HarnessError;
use kiln_tests::page::{Page, with_database};
use kiln_tests::server::{STILL, Server};
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// The first cells of the rows of the table with this caption, and the rest of each.
async fn table(page: &Page, caption: &str) -> Result<Vec<Vec<String>>, HarnessError> {
    let rows = page
        .evaluate(&format!(
            "[...document.querySelectorAll('table')]
               .find(table => table.caption?.textContent === {caption:?})
               ?.querySelectorAll('tr:not(.room)').values()
               .map(row => [...row.cells].map(cell => cell.innerText.trim())).toArray()"
        ))
        .await?;
    Ok(serde_json::from_value(rows).unwrap_or_default())
}

async fn wait_for_names(page: &Page, names: &[&str]) -> Outcome {
    page.wait_for_value(
        "[...document.querySelectorAll('.table-scroll tbody th')].map(cell => cell.innerText.trim())",
        &json!(names),
        20,
    )
    .await
}

/// The accessible name of the first chart, once all are there: they open one after the other.
async fn first_chart(page: &Page) -> Result<String, HarnessError> {
    let count = "document.querySelectorAll('.chart [role=img]').length";
    page.wait_for_value(count, &json!(5), 20).await?;
    let name = page
        .evaluate("document.querySelector('.chart [role=img]').ariaLabel")
        .await?;
    Ok(name.as_str().unwrap().to_owned())
}

/// Both course runs on 2,000 images, and what compares them; `do_it` presses what has a role and
/// a name, by mouse or by keyboard.
async fn course_story(page: &Page, by_keyboard: bool) -> Outcome {
    let press = async |role: &str, name: &str| {
        if by_keyboard {
            page.press_by_keyboard(role, name).await
        } else {
            page.press(role, name).await
        }
    };
    press("DisclosureTriangle", "Advanced").await?;
    page.type_number("Training images", "2000").await?;
    press("button", "Run both course runs").await?;
    page.wait_for_text("course-run-2", 60).await?;
    // The first run ends by itself, the second follows.
    page.wait_for_text("Finished · Epoch 5/5", 400).await?;
    press("link", "Compare").await?;
    page.wait_for_text("Only differences", 10).await?;
    let rows = table(page, "Settings and results side by side").await?;
    assert_eq!(
        rows[0],
        ["Setting or result", "course-run-1", "course-run-2"]
    );
    assert_eq!(rows[1], ["Epochs", "1", "5"]);
    assert_eq!(rows[2], ["Batch size", "1000", "128"]);
    // Nothing but results differs besides.
    let settings = [
        "Learning rate",
        "Optimizer",
        "Schedule",
        "Dropout",
        "Validate on",
        "Validation split",
        "Validate every",
        "Training images",
        "Random seed",
        "Backend",
        "Data",
    ];
    assert!(
        rows.iter().all(|row| !settings.contains(&row[0].as_str())),
        "{rows:?}"
    );
    assert!(rows.iter().any(|row| row[0] == "Test accuracy"));
    // One chart shows both.
    let summary = first_chart(page).await?;
    assert!(summary.contains("course-run-1 Training"), "{summary}");
    assert!(summary.contains("course-run-2 Training"), "{summary}");

    // All settings on demand, and the other way round.
    press("checkbox", "Only differences").await?;
    page.wait_for_text("Learning rate", 10).await?;
    press("checkbox", "Transpose").await?;
    let rows = table(page, "Settings and results side by side").await?;
    assert_eq!(rows[0][..3], ["Run", "Epochs", "Batch size"]);
    assert_eq!(rows[1][..3], ["course-run-1", "1", "1000"]);
    Ok(())
}

#[tokio::test]
async fn both_course_runs_are_queued_kept_and_compared() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    course_story(&page, false).await?;
    // Both validate on the test set, as the course does, and the score is said to be so.
    page.press("link", "Evaluate").await?;
    page.wait_for_text("Test guided this run: score is optimistic.", 20)
        .await?;
    page.wait_for_text("wrong of 10 000", 20).await?;
    page.press("link", "Compare").await?;

    // What was zoomed into by steps is another part of the images.
    let name = first_chart(&page).await?;
    let middle = [(0.4, 0.5), (0.5, 0.5), (0.6, 0.5)];
    page.drag("image", &name, &middle).await?;
    page.wait_for_text("Reset zoom", 10).await?;
    page.press("button", "Images seen").await?;
    let has_reset = "document.body.innerText.includes('Reset zoom')";
    page.wait_for_value(has_reset, &json!(false), 10).await?;
    page.choose("X axis", "Step").await?;

    // A deep link shows the same after a reload.
    let address = page.evaluate("location.href").await?;
    page.reload().await?;
    page.wait_for_text("Only differences", 60).await?;
    assert_eq!(page.evaluate("location.href").await?, address);
    let rows = table(&page, "Settings and results side by side").await?;
    assert_eq!(rows[1], ["Epochs", "1", "5"]);

    page.press("link", "Runs").await?;
    wait_for_names(&page, &["course-run-2", "course-run-1"]).await?;
    let rows = table(&page, "Runs").await?;
    assert!(rows[1].contains(&"Finished".to_owned()), "{rows:?}");
    page.close().await
}

#[tokio::test]
async fn the_same_story_with_the_keyboard_alone() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    course_story(&page, true).await?;
    page.press_by_keyboard("link", "Runs").await?;
    wait_for_names(&page, &["course-run-2", "course-run-1"]).await?;
    page.press_by_keyboard("button", "Epochs").await?;
    page.press_by_keyboard("button", "Epochs").await?;
    wait_for_names(&page, &["course-run-1", "course-run-2"]).await?;
    page.focus("button", "course-run-1").await?;
    page.key("F2").await?;
    page.type_text("first").await?;
    page.key("Enter").await?;
    wait_for_names(&page, &["first", "course-run-2"]).await?;
    page.close().await
}

#[tokio::test]
async fn runs_are_renamed_found_sorted_deleted_and_brought_back() -> Outcome {
    const HOSTILE: &str = "<img src=x onerror=alert(1)>";
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.type_number("Batch size", "64").await?;
    page.keep_short_run().await?;
    page.type_number("Batch size", "32").await?;
    page.keep_short_run().await?;
    page.press("link", "Runs").await?;
    let before = page.listed(2).await?;

    page.press("button", &before[0]).await?;
    page.type_into("textbox", "Name", HOSTILE).await?;
    wait_for_names(&page, &[HOSTILE, &before[1]]).await?;
    assert_eq!(page.evaluate("document.images.length").await?, json!(0));
    page.type_into("textbox", "Tags", "odd, small").await?;
    page.type_into("textbox", "Notes", "A note").await?;

    page.type_into("searchbox", "Filter", "batch_size=64")
        .await?;
    wait_for_names(&page, &[&before[1]]).await?;
    page.type_into("searchbox", "Filter", "odd note").await?;
    wait_for_names(&page, &[HOSTILE]).await?;
    page.type_into("searchbox", "Filter", "nowhere").await?;
    page.wait_for_text("No run fits the filter.", 10).await?;
    page.type_into("searchbox", "Filter", "").await?;

    page.press("button", "Batch size").await?;
    wait_for_names(&page, &[&before[1], HOSTILE]).await?;
    page.press("button", "Pin as baseline").await?;
    page.wait_for_text("Δ", 10).await?;

    page.press("button", &format!("Delete {HOSTILE}")).await?;
    page.wait_for_text(&format!("Deleted {HOSTILE}."), 10)
        .await?;
    wait_for_names(&page, &[&before[1]]).await?;
    page.press("button", "Undo").await?;
    wait_for_names(&page, &[&before[1], HOSTILE]).await?;
    page.press("button", &format!("Delete {}", before[1]))
        .await?;
    wait_for_names(&page, &[HOSTILE]).await?;

    // A reload keeps all of it, and what was deleted stays so.
    page.reload().await?;
    wait_for_names(&page, &[HOSTILE]).await?;
    page.press("button", HOSTILE).await?;
    page.wait_for_value(
        "document.querySelector('.details textarea').value",
        &json!("A note"),
        10,
    )
    .await?;
    page.close().await
}

/// Waits until the only run's row shows other figures than now.
async fn wait_for_other_figures(page: &Page) -> Outcome {
    let row = "document.querySelector('.table-scroll tbody tr:has(th)').innerText";
    let now = page.evaluate(row).await?;
    page.wait_for_value(&format!("{row} !== {now}"), &json!(true), 30)
        .await
}

/// The heads of the table of runs, from the left.
async fn heads(page: &Page) -> Result<Vec<String>, HarnessError> {
    Ok(table(page, "Runs").await?.remove(0))
}

#[tokio::test]
async fn columns_are_shown_moved_and_remembered_and_a_run_is_marked() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    page.press("link", "Runs").await?;
    let before = heads(&page).await?;
    assert!(!before.contains(&"Seed".to_owned()), "{before:?}");
    page.press("DisclosureTriangle", "Columns").await?;
    page.press("checkbox", "Seed").await?;
    page.press("button", "Move Seed left").await?;
    page.press("checkbox", "Optimizer").await?;
    let mut expected = before.clone();
    // The last head is that of the buttons that delete.
    expected.insert(before.len() - 2, "Seed".to_owned());
    expected.retain(|head| head != "Optimizer");
    assert_eq!(heads(&page).await?, expected);
    let cells = table(&page, "Runs").await?;
    let seed = expected.iter().position(|head| head == "Seed").unwrap();
    assert_eq!(cells[1][seed], "42");

    // Its colour, wherever it is shown.
    let name = page.listed(1).await?.remove(0);
    let colour = "getComputedStyle(document.querySelector('.sparkline')).getPropertyValue('--run')";
    let first = page.evaluate(colour).await?;
    page.press("button", &format!("Another colour for {name}"))
        .await?;
    page.wait_for_value(&format!("{colour} !== {first}"), &json!(true), 10)
        .await?;
    let other = page.evaluate(colour).await?;
    page.press("button", &name).await?;
    page.type_into("textbox", "Tags", "slow, odd").await?;
    page.wait_for_text("slow, odd", 10).await?;

    // Room is left for rows by what the style sheet says of their height, here and on a phone.
    for width in [1440, 390] {
        page.resize(width, 844).await?;
        let is_as_said =
            "document.querySelector('.table-scroll tbody th').parentElement.offsetHeight
            === parseInt(getComputedStyle(document.documentElement).getPropertyValue('--row'))";
        page.wait_for_value(is_as_said, &json!(true), 10).await?;
    }

    page.reload().await?;
    wait_for_names(&page, &[&name]).await?;
    assert_eq!(heads(&page).await?, expected);
    assert_eq!(page.evaluate(colour).await?, other);
    page.wait_for_text("slow, odd", 10).await?;
    page.close().await
}

#[tokio::test]
async fn what_is_typed_about_a_run_stays_while_it_trains() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.press("button", "Start").await?;
    page.wait_for_step(3, 60).await?;
    page.press("link", "Runs").await?;
    let name = page.listed(1).await?.remove(0);
    page.press("button", &name).await?;
    page.focus_on(".details textarea").await?;
    page.type_text("Two").await?;
    wait_for_other_figures(&page).await?;
    page.type_text(" halves").await?;
    page.key("Tab").await?;
    page.focus_on(".table-scroll tbody th button").await?;
    page.key("F2").await?;
    page.focus_on(".table-scroll tbody th input").await?;
    page.type_text("re").await?;
    wait_for_other_figures(&page).await?;
    page.type_text("named").await?;
    page.key("Enter").await?;
    wait_for_names(&page, &["renamed"]).await?;
    let notes = "document.querySelector('.details textarea').value";
    page.wait_for_value(notes, &json!("Two halves"), 5).await?;
    page.press("button", "renamed").await?;
    // An empty name is none.
    page.type_into("textbox", "Name", "").await?;
    let field = "document.querySelector('.details input').value";
    page.wait_for_value(field, &json!("renamed"), 5).await?;
    page.close().await
}

#[tokio::test]
async fn a_run_waits_for_the_open_one_and_follows_it() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.open_advanced().await?;
    page.type_number("Training images", "1000").await?;
    page.type_number("Epochs", "2").await?;
    // It stays open for as long as the queue is looked at.
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.press("button", "Next run").await?;
    page.type_number("Epochs", "1").await?;
    page.type_number("Batch size", "500").await?;
    page.press("button", "Queue").await?;
    page.press("button", "Queue").await?;
    page.wait_for_value(
        "[...document.querySelectorAll('[aria-label=Queue] li')].map(item => item.firstChild.textContent)",
        &json!(["1 epoch, batch 500", "1 epoch, batch 500"]),
        5,
    )
    .await?;
    page.press("button", "Remove 1 epoch, batch 500 from the queue")
        .await?;
    page.press("button", "Resume").await?;
    // The open run keeps its settings, the queued one has its own.
    page.wait_for_text("Finished · Epoch 1/1", 200).await?;
    page.press("link", "Runs").await?;
    let sizes = "[...document.querySelectorAll('.table-scroll tbody tr:has(th)')].map(row =>
        /Finished/.test(row.innerText) && [row.innerText.includes('500'), row.innerText.includes('128')])";
    page.wait_for_value(sizes, &json!([[true, false], [false, true]]), 10)
        .await?;
    page.close().await
}

#[tokio::test]
async fn what_is_set_for_the_next_run_stays_while_the_queue_moves_on() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.open_advanced().await?;
    page.type_number("Training images", "1000").await?;
    page.type_number("Epochs", "1").await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.press("button", "Next run").await?;
    page.type_number("Epochs", "50").await?;
    page.press("button", "Queue").await?;
    page.type_number("Learning rate", "0.02").await?;
    page.press("button", "Resume").await?;
    page.wait_for_text("Epoch 1/50", 120).await?;
    let rate = async || {
        let value = "function() { return this.value; }";
        page.call("spinbutton", "Learning rate", value).await
    };
    assert_eq!(rate().await?, "0.001");
    page.press("button", "Next run").await?;
    assert_eq!(rate().await?, "0.02");
    page.close().await
}

#[tokio::test]
async fn the_same_settings_twice_are_reproduced() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    page.keep_short_run().await?;
    page.press("link", "Runs").await?;
    let names = page.listed(2).await?;
    page.press("button", &names[0]).await?;
    page.wait_for_text("Reproduced", 10).await?;
    page.close().await
}

/// Waits until the first run of the table has this status.
/// Starts a run that does not end by itself in a test's time.
async fn train_for_long(page: &Page) -> Outcome {
    page.press("button", "Quick taste").await?;
    page.type_number("Epochs", "50").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(60, 60).await
}

async fn wait_for_status(page: &Page, status: &str) -> Outcome {
    let text = "document.querySelector('.table-scroll tbody tr:has(th)').innerText";
    let has_status = format!("{text}.includes({status:?})");
    page.wait_for_value(&has_status, &json!(true), 20).await
}

#[tokio::test]
async fn a_second_tab_sees_runs_appear_and_takes_training_over() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    train_for_long(&page).await?;
    let first = page.open_tab(&server).await?;
    page.wait_for_text("Another tab is training. You can look at runs here.", 60)
        .await?;
    page.wait_for_state(&["ready"], 60).await?;
    // A run that another tab trains cannot be deleted here.
    page.press("link", "Runs").await?;
    let name = page.listed(1).await?.remove(0);
    page.press("button", &format!("Delete {name}")).await?;
    page.wait_for_text(
        &format!("Another tab is training {name}. Stop it there first."),
        10,
    )
    .await?;
    assert_eq!(page.listed(1).await?, std::slice::from_ref(&name));
    page.press("link", "Train").await?;
    page.press("button", "Move training here").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.wait_for_step(61, 60).await?;
    page.go_to_tab(first).await?;
    page.wait_for_text("This run has moved to another tab.", 30)
        .await?;
    // Nothing is left here to be gone on with: neither shown nor by opening it.
    page.wait_for_state(&["ready"], 30).await?;
    page.press("link", "Runs").await?;
    page.press("button", &name).await?;
    page.press("button", "Open").await?;
    page.wait_for_text("Another tab is training. You can look at runs here.", 10)
        .await?;
    assert_eq!(page.state().await?, "ready");

    // What is said of it here, the tab that trains it keeps.
    page.press("link", "Runs").await?;
    page.press("button", &name).await?;
    page.type_into("textbox", "Name", "renamed").await?;
    let kept = with_database(
        None,
        "const [run] = await of(store('runs').getAll());
         return [run.record.identity.name, run.record.summary.steps];",
    );
    let before = page.evaluate(&kept).await?[1].as_u64().unwrap();
    let is_kept = format!("{kept}.then(([name, steps]) => name === 'renamed' && steps > {before})");
    page.wait_for_value(&is_kept, &json!(true), 60).await?;

    // Once its tab is gone, it can be gone on with here.
    page.close_other_tabs().await?;
    wait_for_status(&page, "Interrupted").await?;
    page.press("button", "Open").await?;
    page.wait_for_state(&["interrupted"], 10).await?;
    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn a_run_that_was_handed_over_is_said_to_have_moved_for_as_long_as_nobody_has_it() -> Outcome
{
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    train_for_long(&page).await?;
    // A tab that asks for the run, and is gone before it gets it.
    let ask = with_database(
        None,
        "const [run] = await of(store('runs').getAll());
         if (run) new BroadcastChannel('kiln').postMessage({ Wanted: run.record.identity.id });
         return Boolean(run);",
    );
    page.wait_for_value(&ask, &json!(true), 20).await?;
    let moved = "This run has moved to another tab.";
    page.wait_for_text(moved, 30).await?;
    page.press("link", "Runs").await?;
    wait_for_status(&page, "Interrupted").await?;
    assert!(page.text().await?.contains(moved));
    page.press("button", "Move training here").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn a_run_made_in_another_tab_appears() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.press("link", "Runs").await?;
    let first = page.open_tab(&server).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.keep_short_run().await?;
    page.go_to_tab(first).await?;
    page.wait_for_value(
        "document.querySelectorAll('.table-scroll tbody th').length",
        &json!(1),
        20,
    )
    .await?;
    page.close().await
}

#[tokio::test]
async fn a_record_that_cannot_be_read_leaves_the_others_usable() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    page.evaluate(&with_database(
        None,
        "await of(store('runs').put({ id: 7, record: { nonsense: 1 } }));",
    ))
    .await?;
    page.press("link", "Runs").await?;
    page.reload().await?;
    page.wait_for_text("A kept run could not be read", 60)
        .await?;
    page.listed(1).await?;
    assert_eq!(
        page.evaluate(&with_database(
            None,
            "return (await of(store('runs').getAll())).length;"
        ))
        .await?,
        json!(2)
    );
    page.close().await
}

#[tokio::test]
async fn a_deleted_store_is_told_and_made_again() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    let gone = "new Promise(done => { const gone = indexedDB.deleteDatabase('kiln'); gone.onsuccess = () => done(true); })";
    assert_eq!(page.evaluate(gone).await?, json!(true));
    page.wait_for_text("The runs that this browser kept were deleted.", 30)
        .await?;
    // The shown run is kept again at once.
    page.wait_for_value(
        &with_database(
            None,
            "return (await of(store('checkpoints').getAll())).length;",
        ),
        &json!(1),
        20,
    )
    .await?;
    page.close().await
}

#[tokio::test]
async fn an_older_tab_that_holds_the_store_is_told() -> Outcome {
    let server = Server::start().await?;
    // What an old Kiln does: it opens version 1 and does not let go.
    let page = Page::open_at(&server, STILL).await?;
    page.evaluate(
        "new Promise(done => { const opening = indexedDB.open('kiln', 1);
           opening.onupgradeneeded = () => opening.result.createObjectStore('runs', { keyPath: 'id' });
           globalThis.close = new BroadcastChannel('close');
           opening.onsuccess = () => { close.onmessage = () => opening.result.close(); done(); }; })"
    )
    .await?;
    page.open_tab(&server).await?;
    page.wait_for_text("Another tab has an older Kiln open", 30)
        .await?;
    page.evaluate("new BroadcastChannel('close').postMessage(1)")
        .await?;
    // The store is there at once, and keeps.
    let is_held_back = "document.body.innerText.includes('Another tab has an older Kiln open')";
    page.wait_for_value(is_held_back, &json!(false), 20).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.keep_short_run().await?;
    let kept = with_database(
        None,
        "return (await of(store('checkpoints').getAll())).length;",
    );
    page.wait_for_value(&kept, &json!(1), 20).await?;
    page.close().await
}

#[tokio::test]
async fn charts_leave_as_files_and_as_a_table() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(40, 60).await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    page.press("DisclosureTriangle", "Loss: more").await?;
    let svg = String::from_utf8(page.save("SVG", "loss.svg").await?).unwrap();
    assert!(
        svg.starts_with("<svg ") && svg.contains(">ash-cup-1</text>"),
        "{svg}"
    );
    let png = page.save("PNG", "loss.png").await?;
    assert_eq!(png[..4], [0x89, b'P', b'N', b'G']);
    // Width and height stand in the header: twice those of the drawing.
    assert_eq!(png[16..24], [0, 0, 7, 128, 0, 0, 3, 192]);
    let csv = String::from_utf8(page.save("CSV", "loss.csv").await?).unwrap();
    assert!(
        csv.starts_with("run,step,epoch,images,elapsed_s,series,value\n"),
        "{csv}"
    );
    let losses = csv
        .lines()
        .filter(|line| line.contains(",train/loss,"))
        .count();
    assert!(losses >= 40, "{csv}");
    page.press("button", "Full screen").await?;
    let filling = "document.fullscreenElement?.querySelector('h2').innerText ?? ''";
    page.wait_for_value(filling, &json!("Loss"), 10).await?;
    page.evaluate("document.exitFullscreen()").await?;
    page.wait_for_value(filling, &json!(""), 10).await?;
    page.press("button", "Table").await?;
    let rows = table(&page, "Loss").await?;
    assert_eq!(rows[0], ["Run", "Curve", "Step", "Loss"]);
    assert!(rows.len() > 20, "{rows:?}");

    // Another axis, a logarithmic scale, no smoothing; the crosshair by keyboard.
    page.choose("X axis", "Images seen").await?;
    page.press("checkbox", "Log scale").await?;
    page.wait_for_text("Images seen", 10).await?;
    page.focus_on(".chart [role=img]").await?;
    for key in ["Home", "ArrowRight"] {
        page.key(key).await?;
    }
    page.wait_for_value(
        "document.querySelector('.tooltip p').innerText.replace(/\\s/g, ' ')",
        &json!("Images seen 64"),
        10,
    )
    .await?;
    page.key("Escape").await?;
    page.wait_for_value(
        "document.querySelectorAll('.tooltip').length",
        &json!(0),
        10,
    )
    .await?;

    // Dragging zooms into the middle, in every chart; the whole comes back by a press or a key.
    let name = first_chart(&page).await?;
    let middle = [(0.4, 0.5), (0.5, 0.5), (0.6, 0.5)];
    let first_ticks =
        "[...document.querySelectorAll('.chart .x-axis span:first-child')].map(tick =>
        Number(tick.innerText.replace(/\\D/g, '')) > 0)";
    for by_key in [false, true] {
        page.drag("image", &name, &middle).await?;
        page.wait_for_value(first_ticks, &json!(vec![true; 5]), 10)
            .await?;
        if by_key {
            page.focus_on(".chart [role=img]").await?;
            page.key("Escape").await?;
        } else {
            page.press("button", "Reset zoom").await?;
        }
        page.wait_for_value(first_ticks, &json!(vec![false; 5]), 10)
            .await?;
        assert!(!page.has("button", "Reset zoom").await?);
    }

    // A clock's ticks are times of day.
    page.choose("X axis", "Clock").await?;
    let are_times = "(ticks => ticks.length > 0 && ticks.every(tick =>
        /^\\d\\d:\\d\\d(:\\d\\d)?$/.test(tick.textContent)))(
          [...document.querySelectorAll('.chart .x-axis span')])";
    page.wait_for_value(are_times, &json!(true), 10).await?;
    page.close().await
}

#[tokio::test]
async fn the_browser_promises_to_keep_the_runs_or_does_not() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.press("link", "Runs").await?;
    // Nothing is promised before it is asked for: the page may look at any time.
    let answer = |promise: bool| {
        format!(
            "globalThis.promised = false;
             navigator.storage.persist = async () => promised = {promise};
             navigator.storage.persisted = async () => promised; 0"
        )
    };
    page.evaluate(&answer(false)).await?;
    page.press("button", "Keep my runs").await?;
    page.wait_for_text("The browser makes no promise to keep the runs.", 10)
        .await?;
    page.evaluate(&answer(true)).await?;
    page.press("button", "Keep my runs").await?;
    page.wait_for_text("Kept until you delete them", 10).await?;
    page.close().await
}
