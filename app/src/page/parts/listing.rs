//! How lists of runs are looked at: filter, order, columns, and the rows in sight.

use std::ops::Range;

use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast as _;

use crate::browser::remembered;
use crate::page::state::library::Library;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::table::{Column, Order, approach, matches};

const KEY: &str = "kiln.table";
/// Height of a row where the style sheet has not arrived yet, in pixels.
const ROW_PX: usize = 40;
/// Rows drawn above and below those in sight, so that scrolling finds them there.
const SPARE_ROWS: usize = 4;

/// Order and columns, as they are remembered between visits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// By which column runs are sorted.
    pub order: Order,
    /// The columns that are shown, from the left.
    pub columns: Vec<Column>,
}

impl Default for Layout {
    fn default() -> Self {
        let hidden = [
            Column::LastAccuracy,
            Column::LastLoss,
            Column::Seed,
            Column::Fingerprint,
        ];
        let columns = Column::ALL.into_iter();
        Self {
            order: Order::default(),
            columns: columns.filter(|column| !hidden.contains(column)).collect(),
        }
    }
}

/// How lists are looked at; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Listing {
    /// What is typed to find runs.
    pub filter: RwSignal<String>,
    /// Order and columns.
    pub layout: RwSignal<Layout>,
}

impl Listing {
    /// As the last visit left it.
    pub fn new() -> Self {
        let layout = RwSignal::new(remembered::get(KEY).unwrap_or_default());
        // Where the browser keeps nothing, the next visit begins as the first did.
        Effect::new(move |_| remembered::set(KEY, &layout.get()));
        Self {
            filter: RwSignal::new(String::new()),
            layout,
        }
    }

    /// The runs that fit the filter, in order.
    pub fn rows(self, library: Library) -> Memo<Vec<RunId>> {
        Memo::new(move |_| {
            let filter = self.filter.get();
            let order = self.layout.with(|layout| layout.order);
            library.records.with(|records| {
                let mut fitting: Vec<&Record> = records
                    .iter()
                    .filter(|record| matches(record, &filter))
                    .collect();
                order.sort(&mut fitting);
                fitting.iter().map(|record| record.identity.id).collect()
            })
        })
    }

    /// Moves a column one place to the left, or to the right.
    pub fn move_column(self, column: Column, to_left: bool) {
        self.layout.update(|layout| {
            let columns = &mut layout.columns;
            if let Some(index) = columns.iter().position(|other| *other == column) {
                let other = if to_left {
                    index.wrapping_sub(1)
                } else {
                    index + 1
                };
                if other < columns.len() {
                    columns.swap(index, other);
                }
            }
        });
    }

    /// Shows a column, last of all, or hides it.
    pub fn set_column(self, column: Column, is_shown: bool) {
        self.layout.update(|layout| {
            layout.columns.retain(|other| *other != column);
            if is_shown {
                layout.columns.push(column);
            }
        });
    }
}

/// The height of a row, which the style sheet says and which is another on a phone.
fn row_px() -> Option<usize> {
    let root = document().document_element()?;
    let style = window().get_computed_style(&root).ok().flatten()?;
    let height = style.get_property_value("--row").ok()?;
    height.trim().strip_suffix("px")?.parse().ok()
}

fn window_height_px() -> usize {
    let height = window().inner_height().ok();
    height.and_then(|height| height.as_f64()).unwrap_or(0.0) as usize
}

/// The rows of a long list that are in sight; the others are room only.
#[derive(Clone, Copy)]
pub struct Sight {
    rows: Memo<Vec<RunId>>,
    row_px: RwSignal<usize>,
    top_px: RwSignal<usize>,
    height_px: RwSignal<usize>,
    /// The rows that are drawn; they follow those in sight a few in a task.
    range: RwSignal<Range<usize>>,
}

impl Sight {
    /// A list at its top.
    pub fn new(rows: Memo<Vec<RunId>>) -> Self {
        // Until the list says how high it is: it is not higher than the window.
        let height_px = RwSignal::new(window_height_px());
        let row_px = RwSignal::new(row_px().unwrap_or(ROW_PX));
        let listener = window_event_listener(leptos::ev::resize, move |_| {
            height_px.set(window_height_px());
            row_px.set(self::row_px().unwrap_or(ROW_PX));
        });
        on_cleanup(move || listener.remove());
        let sight = Self {
            rows,
            row_px,
            top_px: RwSignal::new(0),
            height_px,
            range: RwSignal::new(0..0),
        };
        let wanted = Memo::new(move |_| sight.wanted());
        let turns = RwSignal::new(0_u32);
        let next_turn = StoredValue::new_local(None);
        Effect::new(move |_| {
            turns.track();
            let wanted = wanted.get();
            sight
                .range
                .update(|range| *range = approach(range, &wanted));
            if sight.range.get_untracked() != wanted {
                let next = Timeout::new(0, move || turns.update(|turns| *turns += 1));
                next_turn.set_value(Some(next));
            }
        });
        sight
    }

    /// Takes in where the list was scrolled to.
    pub fn scroll(self, event: &web_sys::Event) {
        if let Some(list) = event.target() {
            let list: web_sys::Element = list.unchecked_into();
            let row = self.row_px.get_untracked() as i32;
            // By whole rows: between two of them nothing changes.
            self.top_px
                .set((list.scroll_top() / row * row).max(0) as usize);
            self.height_px.set(list.client_height().max(row) as usize);
        }
    }

    /// The rows in sight, and the spare ones.
    fn wanted(self) -> Range<usize> {
        let count = self.rows.with(Vec::len);
        let row_px = self.row_px.get();
        let first = (self.top_px.get() / row_px).saturating_sub(SPARE_ROWS);
        // One more, because the first and the last may both be cut.
        let rows = self.height_px.get().div_ceil(row_px) + 1 + 2 * SPARE_ROWS;
        first.min(count)..(first + rows).min(count)
    }

    /// The rows that are drawn, of those that there are.
    fn range(self) -> Range<usize> {
        let count = self.rows.with(Vec::len);
        let range = self.range.get();
        range.start.min(count)..range.end.min(count)
    }

    /// The rows to draw.
    pub fn drawn(self) -> Memo<Vec<RunId>> {
        Memo::new(move |_| {
            let range = self.range();
            self.rows.with(|rows| rows[range].to_vec())
        })
    }

    /// Room for the rows above those drawn, in pixels.
    pub fn above_px(self) -> usize {
        self.range().start * self.row_px.get()
    }

    /// Room for the rows below.
    pub fn below_px(self) -> usize {
        (self.rows.with(Vec::len) - self.range().end) * self.row_px.get()
    }
}
