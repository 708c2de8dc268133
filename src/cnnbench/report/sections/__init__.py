"""Sections of the page. A file defines one; see speeds.py.

docstring          first line: what it tells
TITLE              its heading
PLACE              a number; sections stand in the order of theirs
parts(material)    yields what it is made of; a section that yields nothing is left out
"""
