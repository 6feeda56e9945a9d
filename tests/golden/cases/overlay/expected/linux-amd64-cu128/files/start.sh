#!/bin/sh
ÿþ is no text
