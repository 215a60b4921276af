/// placeholder
pub struct Finding;
