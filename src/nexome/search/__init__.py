"""Finding by meaning: how texts are read, turned into vectors and compared, in any loaded language.

text      a text as it is compared: one case, one width, one script; its features
lexicon   the names of terms, with who is whose parent or equal: what an encoder learns from
encoder   the project's own small encoder: features → vectors
training  learns an encoder from a lexicon
embed     any encoder behind one contract: the own one, an ONNX folder, an embeddings URL
"""
