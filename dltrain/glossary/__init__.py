"""The glossary: what names and ideas mean, in English and Chinese."""
