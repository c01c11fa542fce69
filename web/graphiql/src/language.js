// Chinese first; English for a browser that asks for another language.
const chinese = navigator.language.toLowerCase().startsWith('zh')

export const language = chinese ? 'zh-CN' : 'en'

export const say = chinese
  ? {
      title: '工会组织树',
      phone: '手机号',
      password: '密码',
      code: '验证码',
      signIn: '登录',
      signOut: '退出',
      failed: '暂时无法连接服务器，请稍后再试。',
    }
  : {
      title: 'Union tree',
      phone: 'Phone',
      password: 'Password',
      code: 'Code',
      signIn: 'Sign in',
      signOut: 'Sign out',
      failed: 'The server cannot be reached. Please try again later.',
    }
