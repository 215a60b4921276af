/// placeholder
pub struct RunbookError;
