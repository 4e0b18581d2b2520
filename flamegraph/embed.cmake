# cmake -DINPUT=x -DOUTPUT=x.c -DNAME=symbol -P embed.cmake: the bytes of a text file as a C array.
# The file goes into a CDATA section, so it must not contain the sequence that ends one.
file(READ ${INPUT} text)
if(text MATCHES "]]>")
  message(FATAL_ERROR "${INPUT}: ']]>' would end the CDATA section it is put into")
endif()
file(READ ${INPUT} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR length "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REPEAT "0x..," 16 row)
string(REGEX REPLACE "(${row})" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"flamegraph/svg_assets.h\"\n\n"
  "const char ${NAME}[] = {\n${bytes}0};\nconst size_t ${NAME}_length = ${length};\n")
