//! The macro `select!`.

/// Waits for the first of a fixed set of sends and receives, and goes on with what belongs to it.
///
/// ```text
/// select! {
///     biased;                                  // optional: try in this order, instead of a random one
///     recv(receiver) -> answer => expression,  // answer: Result<message, RecvError>
///     send(sender, message) -> answer => ..,   // answer: Result<(), SendError<message>>
///     send(sender, from slot) -> answer => ..,  // takes the message out of an Option, if it is sent
///     default => ..,                           // optional: if nothing is ready at once
///     default(duration) => ..,                 // or: if nothing is ready for so long
/// }
/// ```
///
/// Exactly one operation is done, and only its expression runs, after the wait is over: it may use the ends again, and `break`,
/// `continue`, `return` and `?` do what they do around the macro. The value is that of the expression. Between `recv` and `send`
/// ends of all kinds mix, also several of one channel; each is borrowed, `&` or `&mut` as its methods would, so that handles
/// and references do alike.
///
/// *Messages.* All expressions in brackets are evaluated once, before the wait. In the form `send(sender, message)` a message that was
/// not sent, for another operation was done, is dropped. In the form `send(sender, from slot)` it stays in `slot`, a place of type
/// `Option<message>`; if that is `None` the operation takes no part. A closed channel gives the message back in the answer's error.
///
/// *Closed.* A closed channel is ready: a receive answers [`RecvError`](crate::RecvError) once it is empty.
///
/// *Fairness.* Of several that are ready, one is chosen at random; with `biased` the first.
///
/// *Progress.* As [`Select`](crate::Select), which takes operations at run time, and tasks that wait. Without a `default` this blocks
/// the thread; nothing is allocated for up to 8 operations.
///
/// # Panics
/// If no operation takes part, because all slots are empty, and there is no `default`.
///
/// # Examples
/// ```
/// use millpond::select;
/// use std::time::Duration;
///
/// let (tx, rx) = millpond::bounded(1);
/// let (results, mut outcome) = millpond::mpsc::bounded::<String>(1);
/// tx.send(6)?;
///
/// let six = select! {
///     recv(rx) -> number => number.unwrap(),
///     recv(outcome) -> text => panic!("nobody sent {text:?}"),
/// };
/// assert_eq!(six, 6);
///
/// let mut slot = Some(7);
/// select! {
///     recv(outcome) -> _ => unreachable!(),
///     send(tx, from slot) -> sent => sent?,
///     default(Duration::from_secs(5)) => panic!("there is room"),
/// }
/// assert_eq!((slot, rx.recv()), (None, Ok(7)));
///
/// select! {
///     biased;
///     recv(rx) -> _ => unreachable!(),
///     default => println!("nothing to do"),
/// }
/// # drop(results);
/// # Ok::<(), millpond::SendError<i32>>(())
/// ```
#[macro_export]
macro_rules! select {
    (biased; $($arms:tt)+) => {
        $crate::__select!(@next [true] [] [] $($arms)+)
    };
    ($($arms:tt)+) => {
        $crate::__select!(@next [false] [] [] $($arms)+)
    };
}

/// Reads the arms one by one: `@next [biased] [arms read] [default read] arms left`. An arm that has been read is
/// `{ operation, slot, made of, pattern, body }`; each pass through the macro makes the two names new ones.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // What follows a body: a comma, unless it is a block or the last.
    (@next $b:tt [$($read:tt)*] $d:tt recv($rx:expr) -> $p:pat => $body:block $(, $($rest:tt)*)?) => {
        $crate::__select!(@next $b [$($read)* { operation, slot, (recv $rx), ($p), $body }] $d $($($rest)*)?)
    };
    (@next $b:tt [$($read:tt)*] $d:tt recv($rx:expr) -> $p:pat => $body:block $($rest:tt)+) => {
        $crate::__select!(@next $b [$($read)* { operation, slot, (recv $rx), ($p), $body }] $d $($rest)+)
    };
    (@next $b:tt [$($read:tt)*] $d:tt recv($rx:expr) -> $p:pat => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@next $b [$($read)* { operation, slot, (recv $rx), ($p), $body }] $d $($($rest)*)?)
    };
    (@next $b:tt [$($read:tt)*] $d:tt send($tx:expr, from $slot:expr) -> $p:pat => $body:block $(, $($rest:tt)*)?) => {
        $crate::__select!(@next $b [$($read)* { operation, slot, (from $tx, $slot), ($p), $body }] $d $($($rest)*)?)
    };
    (@next $b:tt [$($read:tt)*] $d:tt send($tx:expr, from $slot:expr) -> $p:pat => $body:block $($rest:tt)+) => {
        $crate::__select!(@next $b [$($read)* { operation, slot, (from $tx, $slot), ($p), $body }] $d $($rest)+)
    };
    (@next $b:tt [$($read:tt)*] $d:tt send($tx:expr, from $slot:expr) -> $p:pat => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@next $b [$($read)* { operation, slot, (from $tx, $slot), ($p), $body }] $d $($($rest)*)?)
    };
    (@next $b:tt [$($read:tt)*] $d:tt send($tx:expr, $message:expr) -> $p:pat => $body:block $(, $($rest:tt)*)?) => {
        $crate::__select!(
            @next $b [$($read)* { operation, slot, (send $tx, $message), ($p), $body }] $d
            $($($rest)*)?
        )
    };
    (@next $b:tt [$($read:tt)*] $d:tt send($tx:expr, $message:expr) -> $p:pat => $body:block $($rest:tt)+) => {
        $crate::__select!(
            @next $b [$($read)* { operation, slot, (send $tx, $message), ($p), $body }] $d
            $($rest)+
        )
    };
    (@next $b:tt [$($read:tt)*] $d:tt send($tx:expr, $message:expr) -> $p:pat => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(
            @next $b [$($read)* { operation, slot, (send $tx, $message), ($p), $body }] $d
            $($($rest)*)?
        )
    };
    (@next $b:tt $read:tt [] default => $body:block $(, $($rest:tt)*)?) => {
        $crate::__select!(@next $b $read [() $body] $($($rest)*)?)
    };
    (@next $b:tt $read:tt [] default => $body:block $($rest:tt)+) => {
        $crate::__select!(@next $b $read [() $body] $($rest)+)
    };
    (@next $b:tt $read:tt [] default => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@next $b $read [() $body] $($($rest)*)?)
    };
    (@next $b:tt $read:tt [] default($limit:expr) => $body:block $(, $($rest:tt)*)?) => {
        $crate::__select!(@next $b $read [($limit) $body] $($($rest)*)?)
    };
    (@next $b:tt $read:tt [] default($limit:expr) => $body:block $($rest:tt)+) => {
        $crate::__select!(@next $b $read [($limit) $body] $($rest)+)
    };
    (@next $b:tt $read:tt [] default($limit:expr) => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@next $b $read [($limit) $body] $($($rest)*)?)
    };
    // All arms are read. The operations end before a body runs, so that it may use the ends again.
    (@next [$biased:tt] [$({ $op:ident, $slot:ident, $made:tt, ($p:pat), $body:expr })*] [$($default:tt)*]) => {
        match {
            $( $crate::__select!(@make $op, $slot, $made); )*
            $crate::__select!(@choose [$($default)*] $biased &mut [$( $op.lend() ),*]);
            ($( $op.answer(), )*)
        } {
            ($( $op, )*) => {
                $( if let ::core::option::Option::Some(answer) = $op {
                    let $p = answer;
                    $body
                } else )* {
                    $crate::__select!(@default $($default)*)
                }
            }
        }
    };
    (@make $op:ident, $slot:ident, (recv $rx:expr)) => {
        let mut $op = $rx.__receiving();
    };
    (@make $op:ident, $slot:ident, (from $tx:expr, $from:expr)) => {
        let mut $op = $tx.__sending(&mut $from);
    };
    (@make $op:ident, $slot:ident, (send $tx:expr, $message:expr)) => {
        let mut $slot = ::core::option::Option::Some($message);
        let mut $op = $tx.__sending(&mut $slot);
    };
    (@choose [] $biased:tt $choices:expr) => { $crate::__private::choose($choices, $biased) };
    (@choose [() $body:expr] $biased:tt $choices:expr) => { $crate::__private::choose_now($choices, $biased) };
    (@choose [($limit:expr) $body:expr] $biased:tt $choices:expr) => {
        $crate::__private::choose_within($choices, $biased, $limit)
    };
    (@default) => { ::core::unreachable!("a wait without a limit ends with an answer") };
    (@default ($($limit:expr)?) $body:expr) => { $body };
    (@next $b:tt $read:tt $d:tt $($wrong:tt)+) => {
        ::core::compile_error!(
            "expected `recv(receiver) -> answer => ..`, `send(sender, message) -> answer => ..`, or one `default => ..`"
        )
    };
}
