# cmake -DINPUTS=a.js,b.js -DOUTPUT=x.c -DNAME=symbol -P embed.cmake: text files, one after the
# other, as a C array, and the source a Content-Security-Policy allows them by: their digest.
string(REPLACE "," ";" inputs "${INPUTS}")
set(joined ${OUTPUT}.txt)
file(WRITE ${joined} "")
foreach(input IN LISTS inputs)
  file(READ ${input} text)
  string(TOLOWER "${text}" lower)
  if(lower MATCHES "</script|</style|<!--|]]>")
    message(FATAL_ERROR "${input}: would end the element it is put into")
  endif()
  file(APPEND ${joined} "${text}")
endforeach()

file(READ ${joined} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR length "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REPEAT "0x..," 16 row)
string(REGEX REPLACE "(${row})" "\\1\n" bytes "${bytes}")

# Base64 of the digest: 32 bytes are ten times three and two more.
file(SHA256 ${joined} digest)
set(alphabet "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
set(policy "")
foreach(group RANGE 10)
  math(EXPR start "${group} * 6")
  string(SUBSTRING "${digest}00" ${start} 6 three)
  foreach(shift 18 12 6 0)
    math(EXPR place "(0x${three} >> ${shift}) & 63")
    string(SUBSTRING "${alphabet}" ${place} 1 letter)
    string(APPEND policy "${letter}")
  endforeach()
endforeach()
string(SUBSTRING "${policy}" 0 43 policy)

file(WRITE ${OUTPUT} "#include <stddef.h>\n\n"
  "extern const char ${NAME}[];\nextern const size_t ${NAME}_length;\n"
  "extern const char ${NAME}_policy[];\n"
  "const char ${NAME}[] = {\n${bytes}0};\nconst size_t ${NAME}_length = ${length};\n"
  "const char ${NAME}_policy[] = \"sha256-${policy}=\";\n")
