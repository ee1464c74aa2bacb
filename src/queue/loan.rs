//! A letter on loan: out of the store, and still a part of it.

use super::drawers::Drawers;
use super::letter::DeadLetter;
use crate::sync::Mutex;

/// A letter on loan. It goes back when this is dropped, by a panic as well.
pub(super) struct Loan<'m, T> {
    drawers: &'m Mutex<Drawers<T>>,
    place: u64,
    /// None once the borrower keeps it.
    letter: Option<DeadLetter<T>>,
}

impl<'m, T> Loan<'m, T> {
    pub(super) fn new(drawers: &'m Mutex<Drawers<T>>, place: u64, letter: DeadLetter<T>) -> Self {
        Self { drawers, place, letter: Some(letter) }
    }

    pub(super) fn letter(&self) -> &DeadLetter<T> {
        self.letter.as_ref().expect("the letter is here until the loan ends")
    }

    pub(super) fn letter_mut(&mut self) -> &mut DeadLetter<T> {
        self.letter.as_mut().expect("the letter is here until the loan ends")
    }

    pub(super) fn place(&self) -> u64 {
        self.place
    }

    /// Ends the loan without giving the letter back: its drawer is the caller's to clear.
    pub(super) fn keep(mut self) -> (u64, DeadLetter<T>) {
        let letter = self.letter.take().expect("the letter is here until the loan ends");
        (self.place, letter)
    }
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        if let Some(letter) = self.letter.take() {
            self.drawers.lock().take_back(self.place, letter);
        }
    }
}
