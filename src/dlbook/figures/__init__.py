"""The figures of the chapters: one module per chapter, one function per figure."""
